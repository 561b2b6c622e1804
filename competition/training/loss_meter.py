"""The training loss, read from the device only when it is needed."""

import math

import torch
from torch import Tensor

from competition.training.checkpoint import Position
from competition.training.dataset import BatchPlan
from competition.training.failures import NotFiniteError

EXPLODED = 1000.0
"""A loss of this many times the first batch's loss (at least 1) counts as an explosion."""


class LossMeter:
    """Collects the losses of steps, and adds them to the position when they are read."""

    def __init__(self, position: Position) -> None:
        self._position = position
        self._pending: list[tuple[Tensor, BatchPlan]] = []
        self.last_ids: tuple[str, ...] = ()

    def add(self, loss: Tensor, plan: BatchPlan) -> None:
        """Take a batch's mean loss, a scalar on the device, without waiting for it."""
        self._pending.append((loss, plan))
        self.last_ids = plan.ids

    def read(self) -> float:
        """The mean loss of the epoch's images so far.

        Raises:
            NotFiniteError: a loss is infinite, NaN or a thousand times the first; names the first such batch.
        """
        if self._pending:
            # one transfer for all: each `.item()` would make the CPU wait until a GPU has caught up
            values = torch.stack([loss for loss, _ in self._pending]).tolist()
            for value, (_, plan) in zip(values, self._pending, strict=True):
                if not math.isfinite(value):
                    raise NotFiniteError.of_loss(value, epoch=plan.epoch + 1, batch=plan.step + 1, ids=plan.ids)
                self._compare_with_first(value, plan)
                self._position.loss_sum += value * len(plan.ids)
                self._position.images += len(plan.ids)
            self._pending.clear()
        return self._position.mean_loss

    def _compare_with_first(self, loss: float, plan: BatchPlan) -> None:
        position = self._position
        if position.first_loss is None:
            position.first_loss = loss
        if loss > EXPLODED * max(position.first_loss, 1.0):
            raise NotFiniteError.of_explosion(
                loss, position.first_loss, epoch=plan.epoch + 1, batch=plan.step + 1, ids=plan.ids
            )
        if plan.epoch == 0 and position.untrained and position.untrained[plan.step]:
            position.worst_rise = max(position.worst_rise, loss / position.untrained[plan.step])
