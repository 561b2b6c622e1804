"""Delivers messages from a thread of its own: a target that fails or hangs must not touch the queue.

Each message is sent once, for a limited time.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Full, Queue

from competition.notify.delivery import DeliveryError, Notice, check, deliver

TIMEOUT_S = 10.0
"""Time to deliver one message."""
MOST_WAITING = 100
"""Messages that may wait for delivery; later ones are dropped."""


class Messenger:
    """Delivers messages in the background, in order.

    Args:
        target: a command, a web address, or a URL of apprise.
        folder: where a command runs.
        on_trouble: called from another thread with the reason when a delivery fails: once, until one has worked again.
    """

    def __init__(self, target: str, folder: Path, *, on_trouble: Callable[[str], None], timeout_s: float) -> None:
        self._target, self._folder, self._timeout_s = target, folder, timeout_s
        self._on_trouble = on_trouble
        self._is_failing = False
        self._closes_at = float("inf")
        self._waiting: Queue[Notice | None] = Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._deliver, name="notify", daemon=True)

    def check(self) -> None:
        """Report now, not with the first message, that a URL of apprise can never work."""
        try:
            check(self._target)
        except DeliveryError as error:
            self._report(str(error))

    def send(self, notice: Notice) -> None:
        """Take a message and return at once."""
        if self._thread.ident is None:
            with suppress(RuntimeError):  # the system is out of threads; the next message tries again
                self._thread.start()
        try:
            self._waiting.put_nowait(notice)
        except Full:
            self._report(f"it is too slow: {MOST_WAITING} messages wait, so this one is dropped: {notice.text}")

    def close(self) -> None:
        """Wait for the messages in the queue, no longer than one delivery may take; drop the rest."""
        if self._thread.is_alive():
            self._closes_at = time.monotonic() + self._timeout_s
            with suppress(Full):
                self._waiting.put_nowait(None)
            self._thread.join(self._timeout_s + 1.0)

    def _deliver(self) -> None:
        while (notice := self._waiting.get()) is not None:
            left_s = min(self._timeout_s, self._closes_at - time.monotonic())
            if left_s <= 0:
                self._report(f"it is too slow: {self._waiting.qsize()} messages are dropped at the end")
                return
            try:
                deliver(self._target, notice, folder=self._folder, timeout_s=left_s)
            except DeliveryError as error:
                self._report(str(error))
            else:
                self._is_failing = False

    def _report(self, trouble: str) -> None:
        if not self._is_failing:
            self._is_failing = True
            with suppress(Exception):  # a closed terminal or a full disk must not end the thread
                self._on_trouble(trouble)
