from collections.abc import Callable
from typing import ClassVar

import pytest
import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from competition.config.experiment import Config, with_overrides
from competition.training.dataset import Batch, BatchPlan
from competition.training.learner import Learner, number_of_parts
from competition.training.losses import SegmentationLoss
from competition.training.network.model import IMAGENET, Segmenter
from competition.training.network.precision import Precision

CPU = torch.device("cpu")


def learner_of(*assignments: str, network: nn.Module | None = None, precision: Precision = Precision.FP32) -> Learner:
    """A learner; its network has no batch normalisation unless another is given."""
    torch.manual_seed(0)
    network = network or nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 1))
    config = with_overrides(Config(), ["loss.dice=0", "optimizer.name=sgd", *assignments])
    return Learner(Segmenter(network, IMAGENET, precision), config, epochs=4, steps=2, device=CPU)


def batch(images: int = 8, *, epoch: int = 0, step: int = 0, side: int = 8) -> Batch:
    generator = torch.Generator().manual_seed(step)
    pixels = torch.randint(0, 256, (images, side, side, 3), dtype=torch.uint8, generator=generator)
    masks = torch.randint(0, 2, (images, side, side), dtype=torch.uint8, generator=generator)
    return Batch(pixels, masks, BatchPlan(epoch, step, tuple(f"i{k}" for k in range(images))))


def weights(learner: Learner) -> Tensor:
    return torch.cat([p.detach().flatten() for p in learner.segmenter.network.parameters()])


@pytest.mark.parametrize(
    ("images", "micro_batch", "parts"),
    [(8, 8, 1), (9, 8, 1), (16, 8, 2), (15, 8, 2), (17, 8, 2), (18, 8, 3), (1, 8, 1), (3, 2, 1), (4, 2, 2), (4, 1, 4)],
)
def test_a_step_is_cut_into_parts(images: int, micro_batch: int, parts: int) -> None:
    assert number_of_parts(images, micro_batch) == parts
    sizes = [len(part) for part in torch.zeros(images).tensor_split(parts)]
    assert max(sizes) <= max(micro_batch + 1, 1)
    assert micro_batch == 1 or images == 1 or min(sizes) > 1


def test_accumulation_is_a_large_batch_in_parts() -> None:
    at_once, in_parts = learner_of("train.batch_size=8"), learner_of("train.batch_size=2", "train.accumulate=4")
    losses = [learner.step(batch()).item() for learner in (at_once, in_parts)]
    assert losses[0] == pytest.approx(losses[1])
    torch.testing.assert_close(weights(at_once), weights(in_parts))


Fail = Callable[[int], list[int]]


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Fail:
    """Makes the loss of more than so many images fail as a GPU would; gives the list of what was tried."""

    def limit(most: int) -> list[int]:
        tried: list[int] = []
        forward = SegmentationLoss.forward

        def limited(self: SegmentationLoss, logits: Tensor, masks: Tensor) -> Tensor:
            tried.append(len(logits))
            if len(logits) > most:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return forward(self, logits, masks)

        monkeypatch.setattr(SegmentationLoss, "forward", limited)
        return tried

    return limit


def test_too_little_memory_halves_the_micro_batch_once_and_for_all(
    memory: Fail, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, halved = learner_of(), learner_of()
    losses = [whole.step(batch(step=k)).item() for k in range(2)]
    tried = memory(4)
    assert [halved.step(batch(step=k)).item() for k in range(2)] == pytest.approx(losses)
    assert tried == [8, 4, 4, 4, 4]
    torch.testing.assert_close(weights(whole), weights(halved))
    assert "parts of 4 images" in capsys.readouterr().out
    assert halved.micro_batch == 4
    resumed = learner_of()
    resumed.restore(halved.state())
    assert resumed.micro_batch == 4


def test_a_gpu_is_asked_to_let_go_of_what_it_keeps(memory: Fail, monkeypatch: pytest.MonkeyPatch) -> None:
    emptied: list[bool] = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(True))
    learner = learner_of()
    memory(4)
    monkeypatch.setattr(learner, "_device", FakeGPU())
    monkeypatch.setattr(torch, "zeros", lambda *size, device, _zeros=torch.zeros: _zeros(*size))
    learner.step(Batch(*(Moved(part) for part in batch()[:2]), batch().plan))  # type: ignore[arg-type]
    assert emptied == [True]
    assert Moved.how == {(FakeGPU, True)}


class FakeGPU:
    """Calls itself a GPU."""

    type = "cuda"


class Moved:
    """A tensor that remembers how it was sent to a device, and stays where it is."""

    how: ClassVar[set[tuple[type, bool]]] = set()

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor

    def tensor_split(self, parts: int) -> "list[Moved]":
        return [Moved(part) for part in self._tensor.tensor_split(parts)]

    def __len__(self) -> int:
        return len(self._tensor)

    def to(self, device: object, *, non_blocking: bool) -> Tensor:
        Moved.how.add((type(device), non_blocking))
        return self._tensor


def test_a_second_time_it_gives_up(memory: Fail) -> None:
    learner, tried = learner_of(), memory(3)
    with pytest.raises(torch.OutOfMemoryError):
        learner.step(batch())
    assert tried == [8, 4]


def test_a_step_of_few_images_is_halved_as_well(memory: Fail) -> None:
    """A fold may have fewer images than a batch."""
    learner, tried = learner_of("train.batch_size=8"), memory(3)
    learner.step(batch(5))
    assert (tried, learner.micro_batch) == ([5, 3, 2], 2)


def test_a_single_image_cannot_be_halved(memory: Fail) -> None:
    learner, tried = learner_of("train.batch_size=1"), memory(0)
    with pytest.raises(torch.OutOfMemoryError):
        learner.step(batch(1))
    assert tried == [1]


def test_other_errors_are_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Tensor:
        raise RuntimeError("shape mismatch")

    monkeypatch.setattr(SegmentationLoss, "forward", fail)
    learner = learner_of()
    with pytest.raises(RuntimeError, match="shape mismatch"):
        learner.step(batch())
    assert learner.micro_batch == 8


def test_a_long_gradient_is_cut_to_its_length() -> None:
    free, cut = learner_of("optimizer.lr=0.1"), learner_of("optimizer.lr=0.1", "optimizer.clip_norm=0.001")
    moved = []
    for learner in (free, cut):
        before = weights(learner)
        learner.step(batch())
        moved.append((weights(learner) - before).norm().item())
    assert moved[1] == pytest.approx(0.05 * 0.001, rel=0.15)  # weight decay moves a little too
    assert moved[0] > 10 * moved[1]


def test_what_an_own_model_has_frozen_stays_frozen() -> None:
    network = smp.create_model("Unet", "resnet18", None, classes=2)
    network.encoder.bn1.requires_grad_(False)
    learner = learner_of("model.freeze_epochs=1", network=network)
    for epoch, thawed in ((0, False), (1, True)):
        learner.start_epoch(epoch, [])
        assert network.encoder.conv1.weight.requires_grad is thawed
        assert network.encoder.bn1.weight.requires_grad is False


def test_a_frozen_encoder_waits_and_then_learns() -> None:
    network = smp.create_model("Unet", "resnet18", None, classes=2)
    learner = learner_of("model.freeze_epochs=1", network=network)
    encoder, head = network.encoder.conv1.weight, network.segmentation_head[0].weight
    for epoch, learns in ((0, False), (1, True)):
        before = encoder.detach().clone(), head.detach().clone()
        learner.start_epoch(epoch, [])
        learner.step(batch(2, epoch=epoch, side=32))
        assert torch.equal(encoder, before[0]) is not learns
        assert not torch.equal(head, before[1])


def test_the_encoder_moves_at_its_own_rate() -> None:
    network = smp.create_model("Unet", "resnet18", None, classes=2)
    learner = learner_of("optimizer.lr=0.1", "optimizer.encoder_lr=0.02", network=network)
    learner.start_epoch(0, [])
    learner.step(batch(2, side=32))
    assert [group["lr"] for group in learner._optimizer.param_groups] == pytest.approx([0.01, 0.05])


def test_measuring_a_loss_changes_no_weight() -> None:
    learner = learner_of()
    before, expected = weights(learner), learner.loss(batch())
    assert torch.equal(weights(learner), before)
    assert learner.step(batch()).item() == pytest.approx(expected)


class ComputesAgain(nn.Module):
    """Forgets the activations of a depthwise convolution, or not."""

    def __init__(self, *, again: bool, reentrant: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.head = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 2, 1)
        self.middle = nn.Sequential(nn.Conv2d(8, 8, 5, padding=2, groups=8), nn.ReLU())
        self._again, self._reentrant = again, reentrant

    def forward(self, images: Tensor) -> Tensor:
        stem = self.stem(images)
        middle = checkpoint(self.middle, stem, use_reentrant=self._reentrant) if self._again else self.middle(stem)
        return self.head(middle)


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.BF16])
@pytest.mark.parametrize("reentrant", [False, True])
def test_activations_that_are_computed_again_change_nothing(precision: Precision, reentrant: bool) -> None:
    learners = [
        learner_of("optimizer.lr=1", network=network, precision=precision)
        for network in (ComputesAgain(again=False), ComputesAgain(again=True, reentrant=reentrant))
    ]
    untrained = weights(learners[0])
    losses = [learner.step(batch()).item() for learner in learners]
    assert losses[0] == losses[1]
    at_once, again = (weights(learner) for learner in learners)
    # A re-entrant one builds its own graph in the backward pass, with the gradients of torch's own convolution.
    moved, step = again - untrained, at_once - untrained
    assert (moved - step).norm() <= (0.02 * step.norm() if reentrant else 0)
