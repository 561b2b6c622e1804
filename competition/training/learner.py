"""Everything that a training step changes: weights, optimiser, loss scaling, averaged weights."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from competition.config.experiment import Config
from competition.training import optim, schedule
from competition.training.augmenting.mixing import two_target_loss
from competition.training.dataset import Batch
from competition.training.failures import is_out_of_memory
from competition.training.history import Row
from competition.training.losses import SegmentationLoss
from competition.training.network.averaging import Averaging
from competition.training.network.compiling import compiled, refusal
from competition.training.network.model import Segmenter, encoder_of
from competition.training.network.precision import loss_scaler
from competition.training.seeds import derive


class Learner:
    """Takes training steps, each a function of the state before it, the batch and the step's number alone.

    Args:
        epochs: of the whole job.
        steps: batches per epoch.
        class_weights: one per class, for the loss; None weighs all the same.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        config: Config,
        *,
        epochs: int,
        steps: int,
        device: torch.device,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        self.segmenter = segmenter.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.micro_batch = config.train.batch_size
        self._compiled = compiled(self.segmenter, device) if config.train.compile else None
        self._forward: Callable[[Tensor], Tensor] = self.segmenter if self._compiled is None else self._compiled
        self._criterion = SegmentationLoss(config.loss, class_weights).to(device)
        self._optimizer = optim.make_optimizer(config.optimizer, segmenter.network)
        self._scaler = loss_scaler(segmenter.precision, device)
        self._averaging = Averaging(self.segmenter, config.train, epochs=epochs)
        self._config = config
        self._epochs = epochs
        self._steps = steps
        self._device = device
        self._slowed = 1.0
        self._thawing: list[nn.Parameter] = []
        if config.model.freeze_epochs:
            encoder = encoder_of(self.segmenter.network, "model.freeze_epochs")
            self._thawing = [weight for weight in encoder.parameters() if weight.requires_grad]

    @property
    def is_finite(self) -> bool:
        """Whether all weights are numbers still."""
        return bool(nn.utils.get_total_norm(list(self.segmenter.network.parameters()), math.inf).isfinite())

    @property
    def evaluated(self) -> Segmenter:
        """What is validated and kept: the averaged weights where there are any, else those being trained."""
        return self._averaging.averaged or self.segmenter

    @property
    def is_compiled(self) -> bool:
        """Whether steps run what torch.compile made of the network; it is evaluated as it is."""
        return self._compiled is not None

    def start_epoch(self, epoch: int, rows: Sequence[Row]) -> None:
        """Get ready to train the epoch (from 0), given the rows of those before it."""
        self.segmenter.train()
        for weight in self._thawing:
            weight.requires_grad_(epoch >= self._config.model.freeze_epochs)
        self._slowed = schedule.plateau_factor(self._config.schedule, [row.train_loss for row in rows])

    def end_epoch(self, epoch: int) -> None:
        """Take the epoch's weights into the average, where it is one over epochs."""
        self._averaging.after_epoch(self.segmenter, epoch)

    def learning_rate(self, epoch: int, step: int) -> float:
        """At a step of the epoch that was started; both count from 0."""
        factor = schedule.learning_rate_factor(
            self._config.schedule,
            epoch * self._steps + step,
            steps=self._epochs * self._steps,
            steps_per_epoch=self._steps,
        )
        return self._config.optimizer.lr * factor * self._slowed

    def step(self, batch: Batch) -> Tensor:
        """Train on a batch; its loss, a scalar that stays on the device so that nothing waits for it.

        If the device's memory is too small for the batch, it is tried once more in halves, and so are all after it.

        Raises:
            torch.OutOfMemoryError: the halves are too large as well.
            ConfigError: torch.compile was asked for, and cannot compile the network.
        """
        draw = batch.draw
        for group in self._optimizer.param_groups:
            group["lr"] = self.learning_rate(draw.epoch, draw.step) * group["share"]
        try:
            loss = self._backward(batch)
        except (RuntimeError, MemoryError) as error:
            if self.is_compiled and not is_out_of_memory(error) and (refused := refusal(error)) is not None:
                raise refused from error
            if not is_out_of_memory(error) or not self._halve(len(draw.ids)):
                raise
            loss = None
        if loss is None:  # outside the handler, whose traceback keeps the activations alive
            loss = self._backward(batch)
        if self._config.optimizer.clip_norm:
            self._scaler.unscale_(self._optimizer)
            nn.utils.clip_grad_norm_(self.segmenter.network.parameters(), self._config.optimizer.clip_norm)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._averaging.after_step(self.segmenter, draw.epoch * self._steps + draw.step)
        return loss

    def loss(self, batch: Batch) -> float:
        """What the weights as they are lose on a batch, which changes none of them."""
        with torch.no_grad():
            return float(sum(self._losses(batch)))

    def state(self) -> dict[str, Any]:
        """What a resume needs."""
        return {
            "network": self.segmenter.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
            "averaging": self._averaging.state(),
            "micro_batch": self.micro_batch,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to where `state` was taken."""
        self.segmenter.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        if state["scaler"]:  # empty unless the state was taken at float16
            self._scaler.load_state_dict(state["scaler"])
        self._averaging.restore(state["averaging"])
        self.micro_batch = state["micro_batch"]

    def _backward(self, batch: Batch) -> Tensor:
        """Leave the batch's gradient in the weights; its loss."""
        self._optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=self._device)
        for loss in self._losses(batch):
            self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        return total

    def _losses(self, batch: Batch) -> Iterator[Tensor]:
        """The loss of each part of a batch, with the part's share of the images: their sum is the batch's."""
        torch.manual_seed(derive(self._config.seed, "step", batch.draw.epoch, batch.draw.step))
        number = len(batch.draw.ids)
        parts = number_of_parts(number, self.micro_batch)
        blended = () if batch.partners is None else (batch.partners,)  # each in the pinned memory that it came in
        for part in zip(*(t.tensor_split(parts) for t in (batch.images, batch.masks, *blended)), strict=True):
            images, *targets = (t.to(self._device, non_blocking=True) for t in part)
            loss = two_target_loss(self._criterion, self._forward(images), targets, batch.share)
            yield len(images) / number * loss

    def _halve(self, images: int) -> bool:
        """Compute in half of what a step of `images` took at once from now on; False if that was done or cannot be."""
        at_once = min(self.micro_batch, images)
        if at_once < 2 or self.micro_batch < self._config.train.batch_size:
            return False
        self.micro_batch = at_once // 2
        self._optimizer.zero_grad(set_to_none=True)
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        print(f"Out of memory: from here on each step is computed in parts of {self.micro_batch} images.", flush=True)
        return True


def number_of_parts(images: int, micro_batch: int) -> int:
    """Into how many near-equal parts a step's images are cut.

    None has more than `micro_batch` images, except by one where it would leave a single image over: batch
    normalisation cannot train on one image whose feature map has shrunk to one pixel.
    """
    if micro_batch == 1:
        return images
    return max(1, math.ceil((images - 1) / micro_batch))
