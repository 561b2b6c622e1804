"""How far a job is, told now and then."""

import time
from collections.abc import Callable

from competition.jobspec import Progress
from competition.training.checkpoint import Position

INTERVAL_S = 0.25


class Pace:
    """Turns a position into `Progress`, a few times a second at most.

    Args:
        report: what is told.
        batches: batches per epoch.
    """

    def __init__(self, report: Callable[[Progress], None], *, epochs: int, batches: int) -> None:
        self._report, self._epochs, self._batches = report, epochs, batches
        self._started, self._told = time.monotonic(), 0.0
        self._first: float | None = None
        self.score: float | None = None

    def tell(self, position: Position, *, phase: str = "train") -> None:
        """Report, unless the last report was just now."""
        now = time.monotonic()
        if now - self._told < INTERVAL_S:
            return
        self._told = now
        done = position.epoch + position.step / max(1, self._batches)
        if self._first is None:
            self._first, self._started = done, now
        pace_s = (now - self._started) / (done - self._first) if done > self._first else 0.0
        self._report(
            Progress(
                epoch=min(position.epoch + 1, self._epochs),
                epochs=self._epochs,
                batch=position.step,
                batches=self._batches,
                loss=position.mean_loss,
                score=self.score,
                images_per_s=position.images_per_s,
                eta_s=pace_s * (self._epochs - done),
                phase=phase,
            )
        )
