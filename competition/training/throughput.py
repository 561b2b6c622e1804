"""How fast a job is, and how long it will take."""

import time
from dataclasses import dataclass, field

import torch

from competition.jobspec import Progress
from competition.training import hardware
from competition.training.reporting import Reporter

STARVED = 0.1
"""From this share of the training time on, waiting for images is what holds a job up."""


@dataclass
class Pace:
    """Measures this attempt's speed and turns it into progress messages.

    Args:
        epochs: of the whole job.
        steps: training batches of the whole job.
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
        """Training images per second, waiting for data included."""
        return self.images / self.train_s if self.train_s else 0.0

    @property
    def wait_share(self) -> float:
        """The share of the training time that went by waiting for data."""
        return self.wait_s / self.train_s if self.train_s else 0.0

    @property
    def inference_ms(self) -> float:
        """Milliseconds to predict an image's probabilities at its own size, from the cache, in the job's batches."""
        return 1000 * self.inference_s / self.predicted if self.predicted else 0.0

    def summary(self) -> str:
        """How fast it was, and what held it up, for the log."""
        if not self.images:
            return "All training was done in earlier attempts."
        if self.wait_share > STARVED:
            why = "preparing them is the bottleneck: more train.workers or a lighter augmentation would help"
        else:
            why = "the device is the bottleneck"
        return f"{self.images_per_s:.1f} images/s; {self.wait_share:.0%} of the time went by waiting for images: {why}."

    def trained(self, images: int, *, seconds: float, waited_s: float) -> None:
        """Take in a training step."""
        self.images += images
        self.train_s += seconds
        self.wait_s += waited_s
        self.steps_done += 1
        self._steps_measured += 1

    def settled(self, seconds: float) -> None:
        """Take in the wait for what the device still had to do of the steps so far."""
        self.train_s += seconds

    def inferred(self, images: int, seconds: float) -> None:
        """Take in a pass of predictions."""
        self.predicted += images
        self.inference_s += seconds

    def tell(self, phase: str, *, epoch: int, done: int, total: int) -> None:
        """Report, if it is due. `epoch` counts from 1; `done` of `total` batches or images of this phase."""
        if self.reporter.is_due:
            self.reporter.tell(
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

    def eta_s(self, epoch: int) -> float:
        """Seconds until the job is done, from the mean of the steps and the last validation so far."""
        per_step = self.train_s / self._steps_measured if self._steps_measured else 0.0
        return per_step * (self.steps - self.steps_done) + self.validation_s * (self.epochs - epoch + 1)


class Stopwatch:
    """Seconds since it was made or last read."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def lap(self) -> float:
        """Seconds since the last lap."""
        now = time.perf_counter()
        seconds, self._since = now - self._since, now
        return seconds
