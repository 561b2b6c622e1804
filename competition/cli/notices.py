"""What the team is told while a worker runs, where competition.yaml names somebody to `notify`."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from competition.api import Competition
from competition.cli.show import output
from competition.errors import CompError, StoreError
from competition.experiments.leaderboard import LeaderboardRow, leaderboard
from competition.queue import hook
from competition.queue.hook import Messenger, Notice, NoticeKind
from competition.store import events
from competition.store.queue import attempts
from competition.store.queue.jobs import Job
from competition.team.next_steps import after_failure
from competition.wording import percent


class Notices:
    """Puts into words what has happened and hands it to the hook; whatever goes wrong with that stays here."""

    def __init__(self, opened: Competition, messenger: Messenger) -> None:
        self._store, self._competition, self._messenger = opened.store, opened.settings.name, messenger
        self._leader = next((row.name for row in leaderboard(opened.store) if row.rank == 1), None)

    def completed(self, name: str) -> None:
        """An experiment has got its score."""
        self._send(lambda: self._completed(name))

    def failed(self, job: Job) -> None:
        """A job is not tried again."""
        self._send(lambda: self._failed(job))

    def stopped(self, why: str) -> None:
        """The worker has stopped itself."""
        host = socket.gethostname()
        self._send(lambda: self._notice(NoticeKind.STOPPED, f"a worker on {host}: {why}", host=host, reason=why))

    def _send(self, word: Callable[[], Notice | None]) -> None:
        try:
            notice = word()
        except CompError as error:
            output.say(f"Nobody could be notified: {error.message}")
            return
        if notice is not None:
            self._messenger.send(notice)

    def _notice(self, event: NoticeKind, text: str, **facts: Any) -> Notice:
        return Notice(event, f"{self._competition}: {text}", {"competition": self._competition, **facts})

    def _completed(self, name: str) -> Notice | None:
        rows = leaderboard(self._store, every_split=True)
        row = next((row for row in rows if row.name == name), None)
        if row is None or row.score is None:  # somebody trains it again meanwhile
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
        what = f"{job.label} of {job.experiment} by {job.member} has failed ({job.failure}): {job.reason}"
        return self._notice(
            NoticeKind.FAILED,
            f"{what}\n{after_failure(job.experiment, fold=job.path_fold)}",
            experiment=job.experiment,
            member=job.member,
            job=job.label,
            failure=job.failure,
            reason=job.reason,
            log_tail=attempts.log_tail(self._store, job.id),
        )


@contextmanager
def notices(opened: Competition) -> Iterator[Notices | None]:
    """Somebody to tell while the block runs, None where competition.yaml names nobody.

    At the end of the block, what is not delivered yet gets a moment more.
    """

    def report(trouble: str) -> None:
        output.say(f"notify: {trouble}. The queue goes on.")
        with suppress(StoreError):
            events.note(opened.store, actor=events.SYSTEM, subject="notify", action="hook failed", why=trouble)

    target, root = opened.settings.notify, opened.paths.root
    if target is None:
        yield None
        return
    messenger = Messenger(target, root, on_trouble=report, timeout_s=hook.TIMEOUT_S)
    try:
        yield Notices(opened, messenger)
    finally:
        messenger.close()


def _gain(row: LeaderboardRow) -> str:
    """`, +1.20 against b1 (better; +0.35 to +2.05)`, as far as it is known."""
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
