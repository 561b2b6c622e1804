"""The training loss, read from the device no more often than somebody wants to see it."""

import math

import torch
from torch import Tensor

from competition.training.checkpoint import Position
from competition.training.dataset import Draw
from competition.training.failures import NotFiniteError

EXPLODED = 1000.0
"""How many times the first batch's loss (or 1, if that is more) is too much."""


class LossMeter:
    """Collects the losses of steps and adds them to the position when they are asked for."""

    def __init__(self, position: Position) -> None:
        self._position = position
        self._pending: list[tuple[Tensor, Draw]] = []
        self.last_ids: tuple[str, ...] = ()

    def add(self, loss: Tensor, draw: Draw) -> None:
        """Take in a batch's mean loss, a scalar on the device. Nothing waits for it."""
        self._pending.append((loss, draw))
        self.last_ids = draw.ids

    def read(self) -> float:
        """The mean loss of the epoch's images so far.

        Raises:
            NotFiniteError: a loss is infinite, not a number or a thousand times the first; names the first such batch.
        """
        if self._pending:
            values = torch.stack([loss for loss, _ in self._pending]).tolist()
            for value, (_, draw) in zip(values, self._pending, strict=True):
                if not math.isfinite(value):
                    raise NotFiniteError.of_loss(value, epoch=draw.epoch + 1, batch=draw.step + 1, ids=draw.ids)
                self._compare(value, draw)
                self._position.loss_sum += value * len(draw.ids)
                self._position.images += len(draw.ids)
            self._pending.clear()
        return self._position.mean_loss

    def _compare(self, loss: float, draw: Draw) -> None:
        """With what is known of the untrained model."""
        at = self._position
        if at.first_loss is None:
            at.first_loss = loss
        if loss > EXPLODED * max(at.first_loss, 1.0):
            raise NotFiniteError.of_explosion(
                loss, at.first_loss, epoch=draw.epoch + 1, batch=draw.step + 1, ids=draw.ids
            )
        if draw.epoch == 0 and at.untrained and at.untrained[draw.step]:
            at.worst_rise = max(at.worst_rise, loss / at.untrained[draw.step])
