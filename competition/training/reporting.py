"""Progress messages from a running job to its worker, and the worker's request to stop."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from competition.jobspec import Progress

INTERVAL_S = 0.25


class StoppedError(Exception):
    """The job was asked to stop, and everything needed to resume it is on disk."""


@dataclass
class Reporter:
    """Passes progress on, and remembers a request to stop.

    Args:
        send: hands progress to the worker; returns False if the worker is gone, which stops the job.
        interval_s: least number of seconds between two messages.
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
        """True once `interval_s` has passed since the last message."""
        return time.monotonic() - self._last >= self.interval_s

    def send_progress(self, progress: Progress) -> None:
        """Send this at once."""
        self._last = time.monotonic()
        if not self.send(progress):
            self.stop()

    def raise_if_stopping(self) -> None:
        """Stop here if asked to. For work between two checkpoints, which a resume repeats.

        Raises:
            StoppedError: the job was asked to stop.
        """
        if self.stopping:
            raise StoppedError
