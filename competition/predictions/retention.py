"""The probabilities on disk: whose they are, what they take, who needs them; archiving and pruning them.

Only shards are ever removed: models, confusion matrices and histories are small and stay, so every score can still be
computed, and `comp retry` writes the probabilities again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from competition.experiments.leaderboard import leaderboard
from competition.lifecycle import JobState
from competition.paths import Paths, archive_of, header_of
from competition.predictions.shards import Shard
from competition.store import ensembles, events, experiments, submissions
from competition.store.engine import Store
from competition.store.queue import jobs


@dataclass(frozen=True)
class Kept:
    """The probabilities of one experiment.

    Args:
        rank: on the leaderboard, None where it has none.
        raw: the shards that lie there as they were written.
        archived: those that lie there as archives.
        needed_by: the ensembles and submissions that refer to them.
        is_running: a job of the experiment is under way or waits, or its score is still to be computed.
    """

    experiment: str
    rank: int | None
    raw: tuple[Path, ...]
    archived: tuple[Path, ...]
    needed_by: tuple[str, ...]
    is_running: bool

    @property
    def bytes(self) -> int:
        """What they take on disk."""
        return sum(path.stat().st_size for path in (*self.raw, *map(archive_of, self.archived)))

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `comp artifacts show --json` prints them."""
        return {
            "experiment": self.experiment,
            "rank": self.rank,
            "bytes": self.bytes,
            "shards": len(self.raw) + len(self.archived),
            "archived": len(self.archived),
            "needed_by": list(self.needed_by),
            "running": self.is_running,
        }


def find(store: Store) -> list[Kept]:
    """The probabilities of every experiment that has any, in the order of the leaderboard."""
    unfinished = jobs.in_states(store, [state for state in JobState if state.is_live or state.is_pending])
    running = {job.experiment for job in unfinished} | {found.name for found, _ in experiments.unscored(store)}
    needed = _needed(store)
    found = []
    for row in leaderboard(store, every_split=True):
        shards = list(_shards(store.paths, row.name))
        raw = tuple(path for path in shards if path.exists())
        archived = tuple(path for path in shards if archive_of(path).exists() and not path.exists())
        if raw or archived:
            needed_by = tuple(needed.get(row.name, ()))
            found.append(Kept(row.name, row.rank, raw, archived, needed_by, row.name in running))
    return found


def beyond(found: Sequence[Kept], keep: int) -> list[Kept]:
    """Those that are neither under way nor among the best `keep`."""
    return [kept for kept in found if not kept.is_running and (kept.rank is None or kept.rank > keep)]


def prunable(found: Sequence[Kept], keep: int) -> list[Kept]:
    """Those `beyond` the best that no ensemble and no submission refers to."""
    return [kept for kept in beyond(found, keep) if not kept.needed_by]


def archive(store: Store, chosen: Iterable[Kept], *, actor: str, advance: Callable[[], None]) -> int:
    """Deflate their shards; how many bytes that freed. What refers to them goes on reading them.

    Raises:
        DataError: a shard is damaged; it and what comes after it stays as it is.
    """
    freed = 0
    for kept in chosen:
        for path in kept.raw:
            freed += Shard.open(path).archive()
            advance()
        if kept.raw:
            events.note(store, actor=actor, subject=kept.experiment, action="probabilities archived")
    return freed


def prune(store: Store, chosen: Iterable[Kept], *, actor: str) -> int:
    """Remove their shards; how many bytes that freed."""
    freed = 0
    for kept in chosen:
        freed += kept.bytes
        events.note(store, actor=actor, subject=kept.experiment, action="probabilities pruned")
        for path in (*kept.raw, *kept.archived):
            header_of(path).unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            archive_of(path).unlink(missing_ok=True)
    return freed


def _needed(store: Store) -> dict[str, list[str]]:
    """The ensembles that name each experiment, and `submission` where one was made from it alone."""
    needed: dict[str, list[str]] = {}
    for ensemble in ensembles.every(store):
        for member in ensemble.weights:
            needed.setdefault(member, []).append(ensemble.name)
    for source in submissions.sources(store):
        needed.setdefault(source, []).append("submission")
    return needed


def _shards(paths: Paths, experiment: str) -> Iterable[Path]:
    for job in paths.fold_jobs(experiment):
        yield job.oof
        yield job.test
