"""The words of each message, and the block in which a worker sends them to what `notify` in competition.yaml names."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from competition.config.settings import Settings
from competition.errors import CompError, StoreError
from competition.experiments.leaderboard import LeaderboardRow, leaderboard
from competition.notify import messenger
from competition.notify.delivery import Notice, NoticeKind
from competition.notify.messenger import Messenger
from competition.store import events
from competition.store.engine import Store
from competition.store.queue import attempts
from competition.store.queue.jobs import Job
from competition.team.next_steps import after_failure
from competition.wording import percent


@contextmanager
def notices(store: Store, settings: Settings, *, say: Callable[[str], None]) -> "Iterator[Notices | None]":
    """Send messages to the team while the block runs; None if competition.yaml has no `notify`.

    At the end of the block, messages that still wait get a moment to be delivered.

    Args:
        say: shows text to the person at the terminal; called from another thread too.
    """

    def report(trouble: str) -> None:
        say(f"notify: {trouble}. The queue goes on.")
        with suppress(StoreError):
            events.note(store, actor=events.SYSTEM, subject="notify", action="hook failed", why=trouble)

    if settings.notify is None:
        yield None
        return
    sender = Messenger(settings.notify, store.paths.root, on_trouble=report, timeout_s=messenger.TIMEOUT_S)
    sender.check()
    try:
        yield Notices(store, settings.name, sender, say)
    finally:
        sender.close()


class Notices:
    """Puts events into words and sends them; its errors never reach the worker."""

    def __init__(self, store: Store, competition: str, sender: Messenger, say: Callable[[str], None]) -> None:
        self._store, self._competition, self._sender, self._say = store, competition, sender, say
        self._leader = next((row.name for row in leaderboard(store) if row.rank == 1), None)

    def completed(self, name: str) -> None:
        """Send that an experiment has its score."""
        self._send(lambda: self._completed(name))

    def failed(self, job: Job) -> None:
        """Send that a job has failed and will not be tried again."""
        self._send(lambda: self._failed(job))

    def stopped(self, why: str) -> None:
        """Send that the worker has stopped itself."""
        host = socket.gethostname()
        self._send(lambda: self._notice(NoticeKind.STOPPED, f"a worker on {host}: {why}", host=host, reason=why))

    def _send(self, compose: Callable[[], Notice | None]) -> None:
        try:
            notice = compose()
        except CompError as error:
            self._say(f"notify: no message could be written: {error.message}")
            return
        if notice is not None:
            self._sender.send(notice)

    def _notice(self, event: NoticeKind, text: str, **facts: Any) -> Notice:
        return Notice(event, f"{self._competition}: {text}", {"competition": self._competition, **facts})

    def _completed(self, name: str) -> Notice | None:
        rows = leaderboard(self._store, every_split=True)
        row = next((row for row in rows if row.name == name), None)
        if row is None or row.score is None:  # it is being trained again
            return None
        ranked = [other for other in rows if other.rank]
        facts = {"experiment": name, "ranked": len(ranked), **_facts(row)}
        if row.rank == 1 and name != self._leader:
            self._leader = name
            before = next((f" Before it: {r.name}, {percent(r.score)}." for r in ranked if r is not row), "")
            text = f"the new best is {name} by {row.member}: {percent(row.score)}{_gain(row)}.{before}"
            return self._notice(NoticeKind.BEST, text, **facts)
        place = f", rank {row.rank} of {len(ranked)}" if row.rank else ""
        text = f"{name} by {row.member} is complete: {percent(row.score)}{_gain(row)}{place}."
        return self._notice(NoticeKind.FINISHED, text, **facts)

    def _failed(self, job: Job) -> Notice:
        failure = f"{job.label} of {job.experiment} by {job.member} has failed ({job.failure}): {job.reason}"
        return self._notice(
            NoticeKind.FAILED,
            f"{failure}\n{after_failure(job.experiment, fold=job.path_fold)}",
            experiment=job.experiment,
            member=job.member,
            job=job.label,
            failure=job.failure,
            reason=job.reason,
            log_tail=attempts.log_tail(self._store, job.id),
        )


def _gain(row: LeaderboardRow) -> str:
    """`, +1.20 against b1 (better; +0.35 to +2.05)`; parts that are not known are left out."""
    if row.delta is None:
        return ""
    gain = f", {percent(row.delta, signed=True)} against {row.parent}"
    if row.judged is None:
        return gain
    verdict = row.judged.verdict
    known = verdict.low is not None and verdict.high is not None
    interval = f"; {percent(verdict.low, signed=True)} to {percent(verdict.high, signed=True)}" if known else ""
    return f"{gain} ({verdict.call}{interval})"


def _facts(row: LeaderboardRow) -> dict[str, Any]:
    plain = row.to_json()
    kept = ("rank", "member", "parent", "conditions", "confounded", "score", "delta", "device_seconds", "verdict")
    return {key: plain[key] for key in kept}
