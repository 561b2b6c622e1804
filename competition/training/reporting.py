"""What a running job tells its worker, and how it hears that it should stop."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from competition.jobspec import Progress

INTERVAL_S = 0.25


class StoppedError(Exception):
    """The job was asked to stop, and everything needed to resume it is on disk."""


@dataclass
class Reporter:
    """Passes progress on, and remembers whether somebody asked the job to stop.

    Args:
        send: hands progress to the worker; False if there is no worker any more, which asks the job to stop.
        interval_s: seconds between two messages, at least.
    """

    send: Callable[[Progress], bool]
    interval_s: float = INTERVAL_S
    stopping: bool = False
    _last: float = field(default=float("-inf"))

    def stop(self) -> None:
        """Ask the job to stop. Safe to call from a signal handler."""
        self.stopping = True

    @property
    def is_due(self) -> bool:
        """Whether the worker would like to hear something: a few times a second at most."""
        return time.monotonic() - self._last >= self.interval_s

    def tell(self, progress: Progress) -> None:
        """Pass this on at once."""
        self._last = time.monotonic()
        if not self.send(progress):
            self.stop()

    def raise_if_stopping(self) -> None:
        """For work between two checkpoints, which a resume does again.

        Raises:
            StoppedError: somebody asked the job to stop.
        """
        if self.stopping:
            raise StoppedError
