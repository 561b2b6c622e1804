"""Telling the team what happened: by the command, or at the web address, that `notify` in competition.yaml names.

Whatever a hook does, it does not touch the queue: a thread of its own calls it, once for each message and for a limited
time. Nothing is tried again.
"""

import json
import os
import shlex
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPException
from pathlib import Path
from queue import Full, Queue
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from competition.files import last_lines

TIMEOUT_S = 10.0
"""How long a hook may take for one message."""
MOST_WAITING = 100
"""Messages; what comes beyond is dropped."""
MOST_LETTERS = 10_000
"""Of a variable: a system takes 128 KiB."""


class NoticeKind(StrEnum):
    """What a message is about."""

    FINISHED = "finished"
    """An experiment is complete."""
    BEST = "best"
    """An experiment is complete, and the first on the leaderboard now."""
    FAILED = "failed"
    """A job has failed and is not tried again."""
    STOPPED = "stopped"
    """A worker has stopped itself, as its machine may be broken."""


@dataclass(frozen=True)
class Notice:
    """One message: `text` is for people, `facts` (JSON values) are for programs."""

    event: NoticeKind
    text: str
    facts: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """What a hook gets. Chats (Slack, Mattermost and those that speak their language) show `text`."""
        return json.dumps({"text": self.text, "event": self.event.value, **self.facts})

    def environment(self) -> dict[str, str]:
        """The gist of it, for a command that would rather not read JSON."""
        told = {"EVENT": self.event, "TEXT": self.text, "EXPERIMENT": self.facts.get("experiment") or ""}
        return {f"COMP_{name}": value.replace("\0", "")[:MOST_LETTERS] for name, value in told.items()}


class HookError(Exception):
    """The hook did not take a message."""


class Messenger:
    """Hands messages to the hook in the background, in order.

    Args:
        target: a command, or a web address.
        folder: where a command runs.
        on_trouble: is told, from another thread, what is wrong with the hook: once, until it has worked again.
    """

    def __init__(self, target: str, folder: Path, *, on_trouble: Callable[[str], None], timeout_s: float) -> None:
        self._target, self._folder, self._timeout_s = target, folder, timeout_s
        self._on_trouble = on_trouble
        self._in_trouble = False
        self._closes_at = float("inf")
        self._waiting: Queue[Notice | None] = Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._deliver, name="hook", daemon=True)

    def send(self, notice: Notice) -> None:
        """Take a message and return at once."""
        if self._thread.ident is None:
            with suppress(RuntimeError):  # no thread can be started now; the next message tries again
                self._thread.start()
        try:
            self._waiting.put_nowait(notice)
        except Full:
            self._say(f"it is too slow: {MOST_WAITING} messages wait, so this one is dropped: {notice.text}")

    def close(self) -> None:
        """Wait for what is not delivered yet, no longer than one message may take; what is left then is dropped."""
        if self._thread.is_alive():
            self._closes_at = time.monotonic() + self._timeout_s
            with suppress(Full):
                self._waiting.put_nowait(None)
            self._thread.join(self._timeout_s + 1.0)

    def _deliver(self) -> None:
        while (notice := self._waiting.get()) is not None:
            left_s = min(self._timeout_s, self._closes_at - time.monotonic())
            try:
                if left_s <= 0:
                    raise HookError(f"it is too slow: {self._waiting.qsize()} messages are dropped at the end")
                call(self._target, notice, folder=self._folder, timeout_s=left_s)
            except Exception as error:  # noqa: BLE001 - whatever a hook does, it does not touch the queue
                self._say(str(error))
                if left_s <= 0:
                    return
            else:
                self._in_trouble = False

    def _say(self, trouble: str) -> None:
        if not self._in_trouble:
            self._in_trouble = True
            with suppress(Exception):
                self._on_trouble(trouble)


def call(target: str, notice: Notice, *, folder: Path, timeout_s: float) -> None:
    """Hand a message to a command, which runs in `folder`, or to a web address.

    Raises:
        HookError: it was not taken.
    """
    if urlsplit(target).scheme in ("http", "https"):
        _post(target, notice, timeout_s)
    else:
        _run(shlex.split(target), notice, folder, timeout_s)


def _run(command: list[str], notice: Notice, folder: Path, timeout_s: float) -> None:
    """Run a command with the message on its standard input. No shell reads any of it."""
    with tempfile.TemporaryDirectory(prefix="comp-hook-") as aside:
        message, said = Path(aside) / "message.json", Path(aside) / "said.txt"
        message.write_text(notice.to_json() + "\n", encoding="utf-8")
        with message.open("rb") as stdin, said.open("wb") as out:
            try:
                process = subprocess.Popen(
                    command,
                    cwd=folder,
                    env=os.environ | notice.environment(),
                    stdin=stdin,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                )
            except OSError as error:
                raise HookError(f"{command[0]} cannot be started: {error.strerror or error}") from error
            try:
                code = process.wait(timeout_s)
            except subprocess.TimeoutExpired as error:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise HookError(f"{command[0]} took longer than {timeout_s:.3g} s and was ended") from error
        if code:
            last = last_lines(said, most=1)
            raise HookError(f"{command[0]} ended with exit code {code}{f': {last}' if last else ''}")


def _post(address: str, notice: Notice, timeout_s: float) -> None:
    """POST the message. Errors name the host alone: the rest of a web hook's address is a secret."""
    host = urlsplit(address).netloc.rpartition("@")[2]
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "comp"}
    request = Request(address, notice.to_json().encode(), headers, method="POST")
    try:
        build_opener(_NoRedirect).open(request, timeout=timeout_s).close()
    except HTTPError as error:
        error.close()
        raise HookError(f"{host} answers {error.code} {error.reason}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise HookError(f"{host} did not take it: {getattr(error, 'reason', None) or error}") from error


class _NoRedirect(HTTPRedirectHandler):
    """A POST that is sent elsewhere arrives as a GET without the message, and would look like a success."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None
