"""Everything that a training step changes: weights, optimiser, loss scaling."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from competition.config import Config
from competition.training.dataset import Batch
from competition.training.losses import SegmentationLoss
from competition.training.model import Segmenter
from competition.training.optim import learning_rate_factor, make_optimizer
from competition.training.precision import loss_scaler
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
        self._criterion = SegmentationLoss(config.loss, class_weights).to(device)
        self._optimizer = make_optimizer(config.optimizer, segmenter.parameters())
        self._scaler = loss_scaler(segmenter.precision, device)
        self._config = config
        self._epochs = epochs
        self._steps = steps
        self._device = device

    def learning_rate(self, epoch: int, step: int) -> float:
        """At a step; both count from 0."""
        factor = learning_rate_factor(
            self._config.schedule,
            epoch * self._steps + step,
            steps=self._epochs * self._steps,
            steps_per_epoch=self._steps,
        )
        return self._config.optimizer.lr * factor

    def step(self, batch: Batch) -> Tensor:
        """Train on a batch; its loss, a scalar that stays on the device so that nothing waits for it."""
        draw = batch.draw
        torch.manual_seed(derive(self._config.seed, "step", draw.epoch, draw.step))
        for group in self._optimizer.param_groups:
            group["lr"] = self.learning_rate(draw.epoch, draw.step)
        images = batch.images.to(self._device, non_blocking=True)
        masks = batch.masks.to(self._device, non_blocking=True)
        self._optimizer.zero_grad(set_to_none=True)
        loss: Tensor = self._criterion(self.segmenter(images), masks)
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.step(self._optimizer)
        self._scaler.update()
        return loss.detach()

    def state(self) -> dict[str, Any]:
        """What a resume needs."""
        return {
            "network": self.segmenter.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to where `state` was taken."""
        self.segmenter.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        if state["scaler"]:  # empty unless the state was taken at float16
            self._scaler.load_state_dict(state["scaler"])
