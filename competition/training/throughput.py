"""The speed of a job and its remaining time."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from competition.jobspec import Progress
from competition.training import hardware
from competition.training.reporting import Reporter

STARVED = 0.1
"""From this share of the training time on, waiting for images is the bottleneck."""


@dataclass
class Throughput:
    """Measures the speed of this attempt and turns it into progress messages.

    Args:
        epochs: of the whole job.
        steps: training steps of the whole job.
        steps_done: of them, in this attempt and the ones before it.
    """

    reporter: Reporter
    epochs: int
    steps: int
    steps_done: int
    device: torch.device
    loss: float | None = None
    lr: float | None = None
    score: float | None = None
    images: int = 0
    train_s: float = 0.0
    wait_s: float = 0.0
    validation_s: float = 0.0
    predicted: int = 0
    inference_s: float = 0.0
    _steps_measured: int = field(default=0)

    @property
    def images_per_s(self) -> float:
        """Training images per second, with the time spent waiting for data."""
        return self.images / self.train_s if self.train_s else 0.0

    @property
    def wait_share(self) -> float:
        """The share of the training time spent waiting for data, 0 to 1."""
        return self.wait_s / self.train_s if self.train_s else 0.0

    @property
    def inference_ms(self) -> float:
        """Milliseconds per image, from the cache to probabilities at the image's own size, in the job's batches."""
        return 1000 * self.inference_s / self.predicted if self.predicted else 0.0

    def summary(self) -> str:
        """The speed and the bottleneck, for the log."""
        if not self.images:
            return "All training was done in earlier attempts."
        if self.wait_share > STARVED:
            bottleneck = "preparing them is the bottleneck: use more train.workers or a lighter augmentation"
        else:
            bottleneck = "the device is the bottleneck"
        waited = f"{self.wait_share:.0%} of the time was spent waiting for images"
        return f"{self.images_per_s:.1f} images/s; {waited}: {bottleneck}."

    def add_step(self, images: int, *, seconds: float, waited_s: float) -> None:
        """Count a training step of `images`, `waited_s` of whose `seconds` went into waiting for the batch."""
        self.images += images
        self.train_s += seconds
        self.wait_s += waited_s
        self.steps_done += 1
        self._steps_measured += 1

    def add_device_wait(self, seconds: float) -> None:
        """Count the time until the device had finished the steps that were queued on it."""
        self.train_s += seconds

    def add_predictions(self, images: int, seconds: float) -> None:
        """Count a pass of predictions."""
        self.predicted += images
        self.inference_s += seconds

    def report(self, phase: str, *, epoch: int, done: int, total: int) -> None:
        """Send progress if a message is due: `done` of `total` batches or images of the phase, in `epoch` (from 1)."""
        if self.reporter.is_due:
            self.reporter.send_progress(
                Progress(
                    epoch,
                    self.epochs,
                    done,
                    total,
                    self.loss,
                    self.score,
                    self.images_per_s,
                    self.eta_s(epoch),
                    phase,
                    self.lr,
                    hardware.peak_memory_mib(self.device),
                )
            )

    def ticker(self, phase: str, epoch: int) -> Callable[[int, int], None]:
        """A callback for a pass over images: called with done and total, it reports, and stops a job asked to stop.

        The callback raises StoppedError; a resume repeats the pass.
        """

        def tick(done: int, total: int) -> None:
            self.reporter.raise_if_stopping()
            self.report(phase, epoch=epoch, done=done, total=total)

        return tick

    def eta_s(self, epoch: int) -> float:
        """Seconds until the job is done, from the mean step and the last validation so far."""
        step_s = self.train_s / self._steps_measured if self._steps_measured else 0.0
        return step_s * (self.steps - self.steps_done) + self.validation_s * (self.epochs - epoch + 1)


class Stopwatch:
    """Seconds since it was made or last read."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def lap(self) -> float:
        """Seconds since the last lap."""
        now = time.perf_counter()
        seconds, self._since = now - self._since, now
        return seconds
