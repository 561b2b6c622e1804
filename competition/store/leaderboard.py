"""The leaderboard: every experiment with its score, its place, and why it has none."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import mean, stdev
from typing import Any

from sqlalchemy import Row, select

from competition.conditions import Condition
from competition.lifecycle import ExperimentState, JobKind, JobState, experiment_state
from competition.store import schema
from competition.store.engine import Store
from competition.store.experiments import job_label


@dataclass(frozen=True)
class LeaderboardRow:
    """One experiment. Scores are fractions; `rank` is None unless the experiment is complete on the current split.

    `fold_scores` has an entry per fold of the split (None: not done). `parent` is the experiment with the parent's
    configuration on the same split, or the name of the baseline where that has not been run. `leaks_allowed` is the
    reason why the split leaks all the same, None where it does not.
    """

    rank: int | None
    name: str
    member: str
    parent: str | None
    conditions: tuple[Condition, ...]
    confounded: str | None
    score: float | None
    fold_scores: tuple[float | None, ...]
    delta: float | None
    device_seconds: float
    state: ExperimentState
    reason: str
    split_version: int
    leaks_allowed: str | None
    note: str

    @property
    def fold_mean(self) -> float | None:
        """The mean score of the folds that are done."""
        done = self._done()
        return mean(done) if done else None

    @property
    def fold_std(self) -> float | None:
        """The sample standard deviation over the folds that are done; None for fewer than two."""
        done = self._done()
        return stdev(done) if len(done) > 1 else None

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `comp leaderboard --json` prints them."""
        return {
            "rank": self.rank,
            "name": self.name,
            "member": self.member,
            "parent": self.parent,
            "conditions": [str(c) for c in self.conditions],
            "confounded": self.confounded,
            "score": self.score,
            "fold_scores": list(self.fold_scores),
            "fold_mean": self.fold_mean,
            "fold_std": self.fold_std,
            "delta": self.delta,
            "device_seconds": round(self.device_seconds, 3),
            "state": self.state.value,
            "reason": self.reason,
            "split": self.split_version,
            "leaks_allowed": self.leaks_allowed,
            "note": self.note,
        }

    def _done(self) -> list[float]:
        return [s for s in self.fold_scores if s is not None]


@dataclass
class _Jobs:
    """The jobs of one experiment, while they are gathered."""

    debug: JobState | None
    folds: dict[int, JobState]
    scores: dict[int, float]
    device_s: float
    trouble: str


def leaderboard(store: Store, *, member: str | None = None, every_split: bool = False) -> list[LeaderboardRow]:
    """Ranked experiments first, best first; then the others, newest first.

    Args:
        member: only this member's experiments (ranks stay those among everybody's).
        every_split: also experiments on older splits; they never rank.
    """
    with store.read() as tx:
        splits = {r.version: r for r in tx.execute(select(schema.splits))}
        experiments: list[Row[Any]] = list(tx.execute(_EXPERIMENTS))
        jobs = _gather(tx.execute(select(schema.jobs)))
    current = max(splits, default=0)
    by_config = {(r.config_sha256, r.split_version): r for r in experiments}
    rows = [
        _row(r, jobs[r.id], split=splits[r.split_version], parent=_parent(r, by_config))
        for r in experiments
        if every_split or r.split_version == current
    ]
    ranked = _ranked(rows, current)
    return [r for r in ranked if member is None or r.member == member]


_EXPERIMENTS = (
    select(
        *(c for c in schema.experiments.c if c.name not in ("config", "class_iou")),
        schema.members.c.name.label("member"),
    )
    .join(schema.members, schema.members.c.id == schema.experiments.c.member_id)
    .order_by(schema.experiments.c.id.desc())
)


def _gather(rows: Iterable[Row[Any]]) -> dict[int, _Jobs]:
    found: dict[int, _Jobs] = {}
    for row in rows:
        jobs = found.setdefault(row.experiment_id, _Jobs(None, {}, {}, 0.0, ""))
        state = JobState(row.state)
        jobs.device_s += row.device_s
        if row.kind == JobKind.DEBUG:
            jobs.debug = state
        else:
            jobs.folds[row.fold] = state
            if state is JobState.SUCCEEDED and row.score is not None:
                jobs.scores[row.fold] = row.score
        if state is JobState.FAILED or (state is JobState.CANCELLED and not jobs.trouble):
            jobs.trouble = f"{job_label(JobKind(row.kind), row.fold)}: {row.reason}"
    return found


def _parent(row: Row[Any], by_config: dict[tuple[str, int], Row[Any]]) -> Row[Any] | None:
    return by_config.get((row.parent_sha256, row.split_version)) if row.parent_sha256 else None


def _row(row: Row[Any], jobs: _Jobs, *, split: Row[Any], parent: Row[Any] | None) -> LeaderboardRow:
    state = experiment_state(jobs.debug, jobs.folds, needed=split.folds)
    score = row.score if state is ExperimentState.COMPLETE else None
    comparable = score is not None and parent is not None and parent.score is not None
    name_of_baseline = f"b{row.baseline_version}" if row.parent_sha256 else None
    return LeaderboardRow(
        rank=None,
        name=row.name,
        member=row.member,
        parent=parent.name if parent is not None else name_of_baseline,
        conditions=tuple(Condition(**c) for c in row.conditions),
        confounded=row.confounded,
        score=score,
        fold_scores=tuple(jobs.scores.get(k) for k in range(split.folds)),
        delta=score - parent.score if comparable and parent is not None and score is not None else None,
        device_seconds=jobs.device_s,
        state=state,
        reason=_reason(state, jobs, split.folds),
        split_version=row.split_version,
        leaks_allowed=split.leaks_allowed,
        note=row.note,
    )


def _reason(state: ExperimentState, jobs: _Jobs, folds: int) -> str:
    done = f"{len(jobs.scores)} of {folds} folds done"
    match state:
        case ExperimentState.COMPLETE:
            return ""
        case ExperimentState.FAILED | ExperimentState.CANCELLED:
            return jobs.trouble
        case ExperimentState.DEBUG:
            return "debug run only; it never ranks"
        case _:
            return done


def _ranked(rows: list[LeaderboardRow], current: int) -> list[LeaderboardRow]:
    rankable = [r for r in rows if r.score is not None and r.split_version == current]
    rankable.sort(key=lambda r: -(r.score or 0.0))
    ranked = [replace(row, rank=place) for place, row in enumerate(rankable, start=1)]
    placed = {row.name for row in ranked}
    old = [
        replace(r, reason=f"on split v{r.split_version}; the current one is v{current}") if r.score is not None else r
        for r in rows
        if r.name not in placed
    ]
    return ranked + old
