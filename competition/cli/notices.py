"""What the team is told while a worker runs, where competition.yaml names somebody to `notify`."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from competition.cli.options import Competition
from competition.errors import CompError, StoreError

if TYPE_CHECKING:
    from competition.queue.hook import Messenger, Notice
    from competition.store.jobs import Job
    from competition.store.leaderboard import LeaderboardRow


class Notices:
    """Words what happened and hands it to the hook; whatever goes wrong with that stays here."""

    def __init__(self, opened: Competition, messenger: "Messenger") -> None:
        self._opened, self._messenger = opened, messenger
        self._leader: str | None = None
        self._send(self._look_for_the_leader)

    def completed(self, name: str) -> None:
        """An experiment has got its score."""
        self._send(lambda: self._completed(name))

    def failed(self, job: "Job") -> None:
        """A job is not tried again."""
        self._send(lambda: self._failed(job))

    def stopped(self, why: str) -> None:
        """The worker has stopped itself."""
        self._send(lambda: self._stopped(why))

    def _send(self, word: "Callable[[], Notice | None]") -> None:
        from competition.cli import output

        try:
            notice = word()
        except CompError as error:
            output.say(f"Nobody could be notified: {error.message}")
            return
        if notice is not None:
            self._messenger.send(notice)

    def _look_for_the_leader(self) -> None:
        from competition.store.leaderboard import leaderboard

        self._leader = next((row.name for row in leaderboard(self._opened.store) if row.rank == 1), None)

    def _completed(self, name: str) -> "Notice | None":
        from competition.queue.hook import Happening, Notice
        from competition.store.leaderboard import leaderboard

        rows = leaderboard(self._opened.store, every_split=True)
        row = next((row for row in rows if row.name == name and row.score is not None), None)
        if row is None:  # somebody has asked for more seeds meanwhile
            return None
        ranked = [other for other in rows if other.rank]
        is_best = row.rank == 1 and name != self._leader
        before = next((other for other in ranked if other.name != name), None) if is_best else None
        if is_best:
            self._leader = name
        return Notice(
            Happening.BEST if is_best else Happening.FINISHED,
            f"{self._opened.settings.name}: {_in_words(row, len(ranked), is_best=is_best, before=before)}",
            {"competition": self._opened.settings.name, "ranked": len(ranked), **_facts(row)},
        )

    def _failed(self, job: "Job") -> "Notice":
        from competition.queue.hook import Happening, Notice
        from competition.store import attempts

        competition = self._opened.settings.name
        fold = "" if job.path_fold is None else f" --fold {job.path_fold}"
        facts = {
            "competition": competition,
            "experiment": job.experiment,
            "member": job.member,
            "job": job.label,
            "failure": job.failure,
            "reason": job.reason,
            "log_tail": attempts.log_tail(self._opened.store, job.id),
        }
        what = f"{job.label} of {job.experiment} by {job.member} has failed ({job.failure}): {job.reason}"
        hint = f"`comp logs {job.experiment}{fold}`; then `comp retry {job.experiment}`."
        return Notice(Happening.FAILED, f"{competition}: {what}\n{hint}", facts)

    def _stopped(self, why: str) -> "Notice":
        from competition.queue.hook import Happening, Notice

        competition, host = self._opened.settings.name, socket.gethostname()
        facts = {"competition": competition, "host": host, "reason": why}
        return Notice(Happening.STOPPED, f"{competition}, on {host}: {why}", facts)


@contextmanager
def notices(opened: Competition) -> Iterator[Notices | None]:
    """Somebody to tell while the block runs, None where competition.yaml names nobody.

    At the end of the block, what is not delivered yet gets a moment more.
    """
    from competition.cli import output
    from competition.queue import hook
    from competition.store import events

    def report(trouble: str) -> None:
        output.say(f"notify: {trouble}. The queue goes on.")
        with suppress(StoreError):
            events.note(opened.store, actor=events.SYSTEM, subject="notify", action="hook failed", why=trouble)

    if opened.settings.notify is None:
        yield None
        return
    target, root = opened.settings.notify, opened.paths.root
    messenger = hook.Messenger(target, root, on_trouble=report, timeout_s=hook.TIMEOUT_S)
    try:
        yield Notices(opened, messenger)
    finally:
        messenger.close()


def _in_words(row: "LeaderboardRow", ranked: int, *, is_best: bool, before: "LeaderboardRow | None") -> str:
    from competition.report.wording import percent

    gain = ""
    if row.delta is not None:
        gain = f", {percent(row.delta, signed=True)} against {row.parent}{_verdict(row)}"
    if not is_best:
        place = f", rank {row.rank} of {ranked}" if row.rank else ""
        return f"{row.name} by {row.member} is complete: {percent(row.score)}{gain}{place}."
    after = f" Before it: {before.name}, {percent(before.score)}." if before else ""
    return f"the new best is {row.name} by {row.member}: {percent(row.score)}{gain}.{after}"


def _verdict(row: "LeaderboardRow") -> str:
    from competition.report.wording import percent

    if row.judged is None:
        return ""
    verdict = row.judged.verdict
    if verdict.low is None or verdict.high is None:
        return f" ({verdict.call})"
    return f" ({verdict.call}; {percent(verdict.low, signed=True)} to {percent(verdict.high, signed=True)})"


def _facts(row: "LeaderboardRow") -> dict[str, Any]:
    plain = row.to_json()
    kept = ("rank", "member", "parent", "conditions", "confounded", "score", "delta", "device_seconds", "verdict")
    return {"experiment": row.name, **{key: plain[key] for key in kept}}
