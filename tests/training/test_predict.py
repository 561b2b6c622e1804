import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from competition.config.experiment import Precision, PredictConfig
from competition.data.manifest import Item
from competition.training.failures import NotFiniteError
from competition.training.network.model import Segmenter
from competition.training.predict import at_size, labels, predictions, probabilities

CPU = torch.device("cpu")
RAW = ((0.0,) * 3, (1 / 255,) * 3)
"""A normalisation that leaves the pixels as they are."""


class Channels(nn.Module):
    """The channels are the logits."""

    def forward(self, images: Tensor) -> Tensor:
        return images


class Broken(nn.Module):
    """Not a number for every image but the first of a batch."""

    def forward(self, images: Tensor) -> Tensor:
        out = images.clone()
        out[1:] = float("nan")
        return out


def item(image_id: str, height: int, width: int) -> Item:
    return Item(image_id, f"{image_id}.png", f"{image_id}.png", "", height, width, "", "", (), 0)


def predicted(
    network: nn.Module,
    items: list[Item],
    pixels: np.ndarray,
    batch_size: int = 2,
    config: PredictConfig = PredictConfig(),  # noqa: B008 - it is frozen
) -> dict[str, Tensor]:
    rows = {"a": 0, "b": 1, "c": 2}
    segmenter = Segmenter(network, RAW, Precision.FP32)
    images = predictions(segmenter, pixels, rows, items, batch_size=batch_size, device=CPU, config=config)  # type: ignore[arg-type]
    return {item.id: logits for item, logits in images}


def test_each_image_comes_at_its_own_size_and_from_its_own_row() -> None:
    pixels = np.zeros((3, 2, 2, 3), np.uint8)
    for row in range(3):
        pixels[row] = 10 * (row + 1)
    by_id = predicted(Channels(), [item("c", 4, 6), item("a", 2, 2), item("b", 3, 5)], pixels)
    assert {name: tuple(logits.shape) for name, logits in by_id.items()} == {
        "c": (3, 4, 6),
        "a": (3, 2, 2),
        "b": (3, 3, 5),
    }
    means = {name: logits.mean().item() for name, logits in by_id.items()}
    assert means == pytest.approx({"c": 30, "a": 10, "b": 20})


def test_interpolation_is_between_pixel_centres() -> None:
    row = torch.tensor([[[0.0, 4.0]]])
    assert at_size(row, (1, 4)).flatten().tolist() == [0, 1, 3, 4]


def test_predictions_that_are_no_numbers_name_the_image() -> None:
    with pytest.raises(NotFiniteError, match="predictions for image b"):
        predicted(Broken(), [item("a", 2, 2), item("b", 2, 2)], np.zeros((3, 2, 2, 3), np.uint8))


class Narrow(nn.Module):
    """A device with room for so many images."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room
        self.tried: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        self.tried.append(len(images))
        if len(images) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return images


def test_too_little_memory_predicts_fewer_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    pixels = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    items = [item(name, 2, 2) for name in "abc"]
    narrow = Narrow(1)
    by_id = predicted(narrow, items, pixels, batch_size=4)
    assert narrow.tried == [3, 2, 1, 1, 1]
    assert [by_id[name].mean().item() for name in "abc"] == [0, 1, 2]
    assert "at most 1 are predicted at once" in capsys.readouterr().out
    with pytest.raises(torch.OutOfMemoryError):
        predicted(Narrow(0), items, pixels)


def test_so_it_does_with_windows() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    narrow = Narrow(2)
    by_id = predicted(narrow, [item("b", 64, 64)], pixels, batch_size=8, config=PredictConfig(window=(32, 32)))
    assert narrow.tried[:3] == [8, 4, 2]
    torch.testing.assert_close(by_id["b"], torch.from_numpy(pixels[1]).permute(2, 0, 1).float())


def test_predictions_are_resized_in_the_plain_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without gradients there is no need for torch's repeatable one, which a GPU takes many times longer for."""
    asked: list[bool] = []
    plain = F.interpolate
    monkeypatch.setattr(
        F,
        "interpolate",
        lambda *given, **named: asked.append(torch.are_deterministic_algorithms_enabled()) or plain(*given, **named),
    )
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        at_size(torch.zeros(1, 2, 2), (4, 4))
        assert asked == [False]
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


def test_labels_and_probabilities() -> None:
    logits = torch.tensor([0.5, 0.2, 0.3]).log()[:, None, None].expand(3, 2, 2)
    assert labels(logits).tolist() == [[0, 0], [0, 0]]
    assert labels(logits).dtype == np.uint8
    assert probabilities(logits)[:, 0, 0].tolist() == pytest.approx([0.5, 0.2, 0.3])
    assert probabilities(logits).dtype == np.float32
