"""The state that a training step changes: weights, optimiser, loss scale, averaged weights."""

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
from competition.training.network.compiling import compile_error, compile_network
from competition.training.network.model import Segmenter, encoder_of
from competition.training.network.precision import loss_scaler
from competition.training.seeds import derive


class Learner:
    """Takes training steps. Each depends only on the state before it, the batch, and the step's number.

    Args:
        epochs: of the whole job.
        steps: batches per epoch.
        class_weights: one per class, for the loss; None for equal weights.
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
        self._compiled = compile_network(self.segmenter, device) if config.train.compile else None
        self._forward: Callable[[Tensor], Tensor] = self.segmenter if self._compiled is None else self._compiled
        self._criterion = SegmentationLoss(config.loss, class_weights).to(device)
        self._optimizer = optim.make_optimizer(config.optimizer, segmenter.network)
        self._scaler = loss_scaler(segmenter.precision, device)
        self._averaging = Averaging(self.segmenter, config.train, epochs=epochs)
        self._config = config
        self._epochs = epochs
        self._steps = steps
        self._device = device
        self._plateau_factor = 1.0
        self._freezable: list[nn.Parameter] = []
        if config.model.freeze_epochs:
            encoder = encoder_of(self.segmenter.network, "model.freeze_epochs")
            # without those that the team's own model has frozen for good
            self._freezable = [weight for weight in encoder.parameters() if weight.requires_grad]

    @property
    def is_finite(self) -> bool:
        """True if all weights are finite."""
        return bool(nn.utils.get_total_norm(list(self.segmenter.network.parameters()), math.inf).isfinite())

    @property
    def evaluated(self) -> Segmenter:
        """The model to validate and keep: the averaged weights if there are any, else the trained ones."""
        return self._averaging.averaged or self.segmenter

    @property
    def is_compiled(self) -> bool:
        """True if steps run the network that torch.compile made; evaluation always runs the original."""
        return self._compiled is not None

    def start_epoch(self, epoch: int, rows: Sequence[Row]) -> None:
        """Prepare to train the epoch (from 0), given the rows of the epochs before it."""
        self.segmenter.train()
        for weight in self._freezable:
            weight.requires_grad_(epoch >= self._config.model.freeze_epochs)
        self._plateau_factor = schedule.plateau_factor(self._config.schedule, [row.train_loss for row in rows])

    def end_epoch(self, epoch: int) -> None:
        """Add the epoch's weights to the average, if it is one over epochs."""
        self._averaging.after_epoch(self.segmenter, epoch)

    def learning_rate(self, epoch: int, step: int) -> float:
        """The learning rate at a step of the started epoch; both count from 0."""
        factor = schedule.learning_rate_factor(
            self._config.schedule,
            epoch * self._steps + step,
            steps=self._epochs * self._steps,
            steps_per_epoch=self._steps,
        )
        return self._config.optimizer.lr * factor * self._plateau_factor

    def step(self, batch: Batch) -> Tensor:
        """Train on a batch and return its loss, a scalar left on the device so that nothing waits for it.

        If the device runs out of memory, the micro-batch is halved for this batch and all later ones, but only once.

        Raises:
            torch.OutOfMemoryError: half a batch is still too large.
            ConfigError: train.compile is set, and torch cannot compile the network.
        """
        plan = batch.plan
        for group in self._optimizer.param_groups:
            group["lr"] = self.learning_rate(plan.epoch, plan.step) * group["share"]
        try:
            loss = self._backward(batch)
        except (RuntimeError, MemoryError) as error:
            if self.is_compiled and not is_out_of_memory(error) and (refused := compile_error(error)) is not None:
                raise refused from error
            if not is_out_of_memory(error) or not self._halve_micro_batch(len(plan.ids)):
                raise
            loss = None
        # Outside the handler: the error's traceback holds on to the activations of the failed pass.
        if loss is None:
            loss = self._backward(batch)
        if self._config.optimizer.clip_norm:
            self._scaler.unscale_(self._optimizer)  # the limit is for true gradients, not scaled ones
            nn.utils.clip_grad_norm_(self.segmenter.network.parameters(), self._config.optimizer.clip_norm)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._averaging.after_step(self.segmenter, plan.epoch * self._steps + plan.step)
        return loss

    def loss(self, batch: Batch) -> float:
        """The loss of a batch with the current weights, which do not change."""
        with torch.no_grad():
            return float(sum(self._losses(batch)))

    def state(self) -> dict[str, Any]:
        """Everything that a resume needs. Its keys are in checkpoint files."""
        return {
            "network": self.segmenter.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
            "averaging": self._averaging.state(),
            "micro_batch": self.micro_batch,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Return to the point at which `state` was taken."""
        self.segmenter.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        if state["scaler"]:  # empty except at float16
            self._scaler.load_state_dict(state["scaler"])
        self._averaging.restore(state["averaging"])
        self.micro_batch = state["micro_batch"]

    def _backward(self, batch: Batch) -> Tensor:
        """Put the batch's gradient into the weights, and return the batch's loss."""
        self._optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=self._device)
        for loss in self._losses(batch):
            self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        return total

    def _losses(self, batch: Batch) -> Iterator[Tensor]:
        """The loss of each micro-batch, weighted by its share of the images: the sum is the batch's loss."""
        # For dropout: a resume starts at this step with no generator state to restore.
        torch.manual_seed(derive(self._config.seed, "step", batch.plan.epoch, batch.plan.step))
        number = len(batch.plan.ids)
        parts = number_of_parts(number, self.micro_batch)
        tensors = [batch.images, batch.masks, *(() if batch.partners is None else (batch.partners,))]
        # split before the copy to the device: each part is a view of pinned memory, and is copied without waiting
        for part in zip(*(tensor.tensor_split(parts) for tensor in tensors), strict=True):
            images, *targets = (tensor.to(self._device, non_blocking=True) for tensor in part)
            loss = two_target_loss(self._criterion, self._forward(images), targets, batch.share)
            yield len(images) / number * loss

    def _halve_micro_batch(self, images: int) -> bool:
        """Halve the micro-batch after a step of `images` ran out of memory; False if it was halved before or is 1."""
        at_once = min(self.micro_batch, images)
        if at_once < 2 or self.micro_batch < self._config.train.batch_size:
            return False
        self.micro_batch = at_once // 2
        self._optimizer.zero_grad(set_to_none=True)
        if self._device.type == "cuda":
            torch.cuda.empty_cache()  # blocks cached for the full size would not fit the halves
        print(f"Out of memory: from here on each step is computed in parts of {self.micro_batch} images.", flush=True)
        return True


def number_of_parts(images: int, micro_batch: int) -> int:
    """The number of nearly equal parts that a step's images are cut into.

    No part has more than `micro_batch` images, except one more where a single image would be left over: batch
    normalisation cannot train on one image whose feature map has shrunk to one pixel.
    """
    if micro_batch == 1:
        return images
    return max(1, math.ceil((images - 1) / micro_batch))
