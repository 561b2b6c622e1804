"""The leaderboard: every experiment with its score, its place, and why it has none."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, mean, stdev
from typing import Any

from sqlalchemy import Connection, Row, select

from competition.config.conditions import Condition
from competition.lifecycle import (
    ExperimentState,
    FoldStates,
    JobKind,
    JobState,
    experiment_state,
    job_label,
    repeats_asked_for,
)
from competition.store import schema
from competition.store.engine import Store
from competition.store.ranking import Place, places
from competition.store.scores import scores_by_repeat
from competition.store.verdicts import Judged, among, judge_all, read_families


@dataclass(frozen=True)
class LeaderboardRow:
    """One experiment. Scores are fractions; `rank` is None for one without a score on the current split.

    One that has a score keeps it, its rank and its verdict while further seeds of it are not done; `state` and `reason`
    say so.

    `fold_scores` has an entry per fold of the split, the mean over its seeds (None: not done), `seed_scores` one per
    seed. `parent` is the experiment with the parent's configuration on the same split, or the name of the baseline
    where that has not been run; `judged` is None until both are complete. `leaks_allowed` is the reason why the split
    leaks all the same, None where it does not. `reason` says why there is no rank, or no verdict. `lineage` is the
    member in whose own lineage the experiment grew, None for the team's.
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
    seed_scores: tuple[float, ...] = ()
    judged: Judged | None = None
    lineage: str | None = None

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

    @property
    def seconds_per_seed(self) -> float:
        """The device time that one seed took."""
        return self.device_seconds / max(1, len(self.seed_scores))

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
            "seed_scores": list(self.seed_scores),
            "verdict": self.judged.to_json() if self.judged else None,
            "lineage": self.lineage,
        }

    def _done(self) -> list[float]:
        return [s for s in self.fold_scores if s is not None]


@dataclass
class _Jobs:
    """The jobs of one experiment, while they are gathered."""

    debug: JobState | None
    folds: FoldStates
    scores: dict[tuple[int, int], float]
    device_s: float
    trouble: str

    @cached_property
    def fold_means(self) -> dict[int, float]:
        """The score of each fold that is done, the mean over its seeds; asked for once all jobs are gathered."""
        of_fold: dict[int, list[float]] = {}
        for (fold, _), score in sorted(self.scores.items()):
            of_fold.setdefault(fold, []).append(score)
        return {fold: fmean(scores) for fold, scores in of_fold.items()}


@dataclass(frozen=True)
class Standings:
    """The rows that were asked for, of `total` that there are."""

    rows: list[LeaderboardRow]
    total: int


def leaderboard(store: Store, *, member: str | None = None, every_split: bool = False) -> list[LeaderboardRow]:
    """Every row of the `standings`."""
    return standings(store, member=member, every_split=every_split).rows


def standings(
    store: Store, *, member: str | None = None, every_split: bool = False, most: int | None = None
) -> Standings:
    """Ranked experiments first, best first; then the others, newest first.

    Args:
        member: only this member's experiments (ranks stay those among everybody's).
        every_split: also experiments on older splits; they never rank.
        most: no more rows than so many, and no more is read than they need; None for all.
    """
    with store.read() as tx:
        splits = {r.version: r for r in tx.execute(select(schema.splits))}
        listed = places(tx, splits.keys(), member=member, every_split=every_split)
        shown = listed[:most]
        ids = None if len(shown) == len(listed) else {place.experiment_id for place in shown}
        found = _read(tx, ids)
    return Standings([_row(found, place, splits) for place in shown], len(listed))


def class_ious(store: Store) -> dict[str, tuple[float | None, ...]]:
    """The IoU of each class (None: it occurs nowhere) of every experiment that has a score, by name."""
    table = schema.experiments
    with store.read() as tx:
        rows = tx.execute(select(table.c.name, table.c.class_iou).where(table.c.class_iou.is_not(None)))
        return {row.name: tuple(row.class_iou) for row in rows}


def pareto_front(rows: Iterable[LeaderboardRow]) -> list[LeaderboardRow]:
    """The ranked experiments that no other beats in score at the same training cost or less, cheapest first.

    The cost is the device time of one seed: more seeds make a score surer, not better.
    """
    front: list[LeaderboardRow] = []
    for row in sorted((r for r in rows if r.rank), key=lambda r: (r.seconds_per_seed, -(r.score or 0.0))):
        if not front or (row.score or 0.0) > (front[-1].score or 0.0):
            front.append(row)
    return front


_OWNERS = schema.members.alias("owners")
_EXPERIMENTS = (
    select(
        *(c for c in schema.experiments.c if c.name not in ("config", "class_iou")),
        schema.members.c.name.label("member"),
        _OWNERS.c.name.label("lineage"),
    )
    .join(schema.members, schema.members.c.id == schema.experiments.c.member_id)
    .outerjoin(schema.baselines, schema.baselines.c.version == schema.experiments.c.baseline_version)
    .outerjoin(_OWNERS, _OWNERS.c.id == schema.baselines.c.owner_id)
    .order_by(schema.experiments.c.id.desc())
)


_PARENTS = select(*(schema.experiments.c[name] for name in ("name", "score", "config_sha256", "split_version")))
_JOBS = select(*(c for c in schema.jobs.c if c.name not in ("facts", "shape", "member_id")))


@dataclass(frozen=True)
class _Found:
    """What is known of the experiments that are shown, and of their parents."""

    experiments: dict[int, Row[Any]]
    by_config: dict[tuple[str, int], Row[Any]]
    jobs: dict[int, _Jobs]
    judged: dict[int, Judged]
    troubles: dict[int, str]


def _read(tx: Connection, ids: Collection[int] | None) -> _Found:
    """What the rows of these experiments need; None for all."""
    experiments, families = schema.experiments, read_families(tx, ids)
    rows = tx.execute(among(_EXPERIMENTS, experiments.c.id, ids)).all()
    configs = None if ids is None else {r.parent_sha256 for r in rows if r.parent_sha256}
    parents = tx.execute(among(_PARENTS, experiments.c.config_sha256, configs)).all()
    concerned = None if ids is None else {*ids, *(c.parent_id for c in families.comparisons)}
    jobs = _gather(tx.execute(among(_JOBS, schema.jobs.c.experiment_id, concerned)))
    fold_means = {i: its.fold_means for i, its in jobs.items()}
    return _Found(
        experiments={row.id: row for row in rows},
        by_config={(row.config_sha256, row.split_version): row for row in parents},
        jobs=jobs,
        judged=judge_all(families, fold_means=fold_means, only=ids),
        troubles={c.experiment_id: f"no verdict: {c.trouble}" for c in families.comparisons if c.trouble},
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
            jobs.folds[row.fold, row.repeat] = state
            if state is JobState.SUCCEEDED and row.score is not None:
                jobs.scores[row.fold, row.repeat] = row.score
        if state is JobState.FAILED or (state is JobState.CANCELLED and not jobs.trouble):
            jobs.trouble = f"{job_label(JobKind(row.kind), row.fold, row.repeat)}: {row.reason}"
    return found


def _row(found: _Found, place: Place, splits: Mapping[int, Row[Any]]) -> LeaderboardRow:
    row, jobs = found.experiments[place.experiment_id], found.jobs[place.experiment_id]
    split = splits[row.split_version]
    state = experiment_state(jobs.debug, jobs.folds, needed=split.folds)
    score = row.score
    parent = found.by_config.get((row.parent_sha256, row.split_version)) if row.parent_sha256 else None
    judged = found.judged.get(row.id)
    difference = None
    if parent is not None and score is not None and parent.score is not None:
        difference = score - parent.score
    name_of_baseline = f"b{row.baseline_version}" if row.parent_sha256 else None
    reason = _reason(state, jobs, split.folds) or found.troubles.get(row.id, "")
    if score is None and state is ExperimentState.COMPLETE:
        reason = f"not scored: `comp run {row.name}` scores it, or says why it cannot"
    if score is not None and place.rank is None:
        reason = f"on split v{row.split_version}; the current one is v{max(splits)}"
    return LeaderboardRow(
        rank=place.rank,
        name=row.name,
        member=row.member,
        parent=parent.name if parent is not None else name_of_baseline,
        conditions=tuple(Condition(**c) for c in row.conditions),
        confounded=row.confounded,
        score=score,
        fold_scores=tuple(jobs.fold_means.get(k) for k in range(split.folds)),
        delta=judged.effect.delta if judged is not None else difference,
        device_seconds=jobs.device_s,
        state=state,
        reason=reason,
        split_version=row.split_version,
        leaks_allowed=split.leaks_allowed,
        note=row.note,
        seed_scores=tuple(scores_by_repeat(row).values()),
        judged=judged,
        lineage=row.lineage,
    )


def _reason(state: ExperimentState, jobs: _Jobs, folds: int) -> str:
    seeds = len(repeats_asked_for(jobs.folds))
    done = f"{len(jobs.scores)} of {folds * seeds} folds done{f' ({seeds} seeds)' if seeds > 1 else ''}"
    match state:
        case ExperimentState.COMPLETE:
            return ""
        case ExperimentState.FAILED | ExperimentState.CANCELLED:
            return jobs.trouble
        case ExperimentState.DEBUG:
            return "debug run only; it never ranks"
        case _:
            return done
