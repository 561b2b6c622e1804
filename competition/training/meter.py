"""The training loss, read from the device no more often than somebody wants to see it."""

import math

import torch
from torch import Tensor

from competition.training.checkpoint import Position
from competition.training.dataset import Draw
from competition.training.failures import NotFiniteError


class LossMeter:
    """Collects the losses of steps and adds them to the position when they are asked for."""

    def __init__(self, position: Position) -> None:
        self._position = position
        self._pending: list[tuple[Tensor, Draw]] = []

    def add(self, loss: Tensor, draw: Draw) -> None:
        """Take in a batch's mean loss, a scalar on the device. Nothing waits for it."""
        self._pending.append((loss, draw))

    def read(self) -> float:
        """The mean loss of the epoch's images so far.

        Raises:
            NotFiniteError: a loss is infinite or not a number; names the first such batch.
        """
        if self._pending:
            values = torch.stack([loss for loss, _ in self._pending]).tolist()
            for value, (_, draw) in zip(values, self._pending, strict=True):
                if not math.isfinite(value):
                    raise NotFiniteError.of_loss(value, epoch=draw.epoch + 1, batch=draw.step + 1, ids=draw.ids)
                self._position.loss_sum += value * len(draw.ids)
                self._position.images += len(draw.ids)
            self._pending.clear()
        return self._position.mean_loss
