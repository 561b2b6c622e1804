"""A message, and its way to what `notify` in competition.yaml names: a command, a web address, or a URL of apprise."""

import json
import logging
import os
import re
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from competition.config.settings import notify_scheme
from competition.files import last_lines

if TYPE_CHECKING:
    from apprise import NotifyBase

MOST_LETTERS = 10_000
"""Length of an environment variable; Linux allows 128 KiB."""
NO_APPRISE = ("", "http", "https")
"""Schemes that comp serves itself: commands, which have none, and web addresses."""
SECRET_LETTERS = 4
"""Parts of a URL with at least this many letters are hidden in messages about it."""


class NoticeKind(StrEnum):
    """The subject of a message."""

    FINISHED = "finished"
    """An experiment is complete."""
    BEST = "best"
    """An experiment is complete, and it is now the first on the leaderboard."""
    FAILED = "failed"
    """A job has failed and will not be tried again."""
    STOPPED = "stopped"
    """A worker has stopped itself, because its machine may be broken."""


_APPRISE_TYPES = {
    NoticeKind.FINISHED: "success",
    NoticeKind.BEST: "success",
    NoticeKind.FAILED: "failure",
    NoticeKind.STOPPED: "warning",
}
"""Chats show them as colours."""


@dataclass(frozen=True)
class Notice:
    """One message: `text` is for people, `facts` (JSON values) are for programs."""

    event: NoticeKind
    text: str
    facts: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """The JSON object that commands and web addresses get; Slack, Mattermost and similar chats show its `text`."""
        return json.dumps({"text": self.text, "event": self.event.value, **self.facts})

    def environment(self) -> dict[str, str]:
        """The main facts as environment variables, for commands that do not read JSON."""
        values = {"EVENT": self.event, "TEXT": self.text, "EXPERIMENT": self.facts.get("experiment") or ""}
        return {f"COMP_{name}": value.replace("\0", "")[:MOST_LETTERS] for name, value in values.items()}

    @property
    def title(self) -> str:
        """The subject of a mail, or the heading in a chat: `comp: best dice-0.5`."""
        return f"comp: {self.event} {self.facts.get('experiment') or ''}".strip()


class DeliveryError(Exception):
    """A message was not delivered; the text holds no secrets of the target."""


def check(target: str) -> None:
    """Do nothing, unless the target is a URL of apprise that can never work.

    Raises:
        DeliveryError: apprise is not installed, or it cannot read the URL.
    """
    if notify_scheme(target) not in NO_APPRISE:
        with _any_error_as_ours(target):
            _apprise_service(target)


def deliver(target: str, notice: Notice, *, folder: Path, timeout_s: float) -> None:
    """Hand a message to the target; a command runs in `folder`.

    Raises:
        DeliveryError: it was not taken, for whatever reason; says why without the target's secrets.
    """
    scheme = notify_scheme(target)
    with _any_error_as_ours(target):
        if scheme not in NO_APPRISE:
            _send_by_apprise(target, notice, timeout_s)
        elif scheme:
            _post(target, notice, timeout_s)
        else:
            _run(shlex.split(target), notice, folder, timeout_s)


@contextmanager
def _any_error_as_ours(target: str) -> Iterator[None]:
    """Turn every error of the block into a DeliveryError without the target's secrets."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the queue goes on whatever fails here, libraries and plugins included
        # `from None`: the errors of libraries often hold the whole URL, which a traceback would print.
        raise DeliveryError(_without_secrets(str(error), target)) from None


def _run(command: list[str], notice: Notice, folder: Path, timeout_s: float) -> None:
    """Run a command with the message on its standard input. No shell reads any of it."""
    with tempfile.TemporaryDirectory(prefix="comp-hook-") as scratch:
        message, output = Path(scratch) / "message.json", Path(scratch) / "output.txt"
        message.write_text(notice.to_json() + "\n", encoding="utf-8")
        with message.open("rb") as stdin, output.open("wb") as out:
            try:
                process = subprocess.Popen(
                    command,
                    cwd=folder,
                    env=os.environ | notice.environment(),
                    stdin=stdin,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,  # a group of its own, which can be ended with all that it started
                )
            except OSError as error:
                raise DeliveryError(f"{command[0]} cannot be started: {error.strerror or error}") from error
            try:
                code = process.wait(timeout_s)
            except subprocess.TimeoutExpired as error:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise DeliveryError(f"{command[0]} took longer than {timeout_s:.3g} s and was ended") from error
        if code:
            last = last_lines(output, most=1)
            raise DeliveryError(f"{command[0]} ended with exit code {code}{f': {last}' if last else ''}")


def _post(address: str, notice: Notice, timeout_s: float) -> None:
    """POST the message as JSON. Errors name the host alone: the rest of a web hook's address is a secret."""
    host = urlsplit(address).netloc.rpartition("@")[2]
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "comp"}
    request = Request(address, notice.to_json().encode(), headers, method="POST")
    try:
        build_opener(_NoRedirect).open(request, timeout=timeout_s).close()
    except HTTPError as error:
        error.close()
        raise DeliveryError(f"{host} answers {error.code} {error.reason}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise DeliveryError(f"{host} did not take it: {getattr(error, 'reason', None) or error}") from error


class _NoRedirect(HTTPRedirectHandler):
    """Refuses redirects: the POST would arrive as a GET without the message, and would look like a success."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _send_by_apprise(url: str, notice: Notice, timeout_s: float) -> None:
    """Send title and text through one of apprise's services."""
    service = _apprise_service(url)
    from apprise import Apprise, LogCapture, NotifyFormat

    sender = Apprise(asset=service.asset)
    sender.add(service)
    # apprise returns False and tells the reason only by its log, which would go to the user's terminal.
    with LogCapture(level=logging.WARNING, fmt="%(message)s") as log:  # type: ignore[no-untyped-call]
        delivered = sender.notify(
            title=notice.title,
            body=notice.text,
            notify_type=_APPRISE_TYPES[notice.event],
            body_format=NotifyFormat.TEXT,
            timeout=timeout_s,
        )
        reasons = log.getvalue().splitlines()
    if not delivered:
        raise DeliveryError(f"{service.service_name} did not take it: {reasons[-1] if reasons else 'no reason given'}")


def _apprise_service(url: str) -> "NotifyBase":
    """The service of apprise that a URL is for.

    Raises:
        DeliveryError: apprise is not installed, or it cannot read the URL.
    """
    try:
        from apprise import Apprise, AppriseAsset, LogCapture
    except ModuleNotFoundError:
        raise DeliveryError(
            f"{notify_scheme(url)}:// needs the package apprise, which is not installed: "
            "pip install 'competition[notify]'"
        ) from None
    asset = AppriseAsset(app_id="comp", app_desc="comp", app_url="", async_mode=False)
    asset.http_redirects = False  # as for web addresses
    with LogCapture(level=logging.WARNING):  # type: ignore[no-untyped-call] # its log would go to the user's terminal
        service = Apprise.instantiate(url, asset=asset)
    if service is None:
        raise DeliveryError(
            f"apprise cannot read the {notify_scheme(url)}:// URL: it does not know the service, or a part is missing "
            "(https://github.com/caronc/apprise/wiki shows the form of each)"
        )
    return service


def _without_secrets(text: str, target: str) -> str:
    """The text with every part of a target's URL hidden, save for the host of a web address.

    The tokens of a chat may stand anywhere in a URL of apprise, also in the place of the host.
    """
    scheme = notify_scheme(target)
    if not scheme:
        return text
    host = urlsplit(target).hostname if scheme in NO_APPRISE else None
    parts = re.split(r"[/:@?&=,+#]+", target.partition("://")[2])
    for part in sorted({*parts, *map(unquote, parts)} - {host}, key=len, reverse=True):
        if len(part) >= SECRET_LETTERS:
            text = text.replace(part, "***")
    return text
