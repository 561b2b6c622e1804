"""The leaderboard: every experiment with its score, its rank and its verdict, or the reason why it has none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean, mean, stdev
from typing import Any

from competition.config.conditions import Condition
from competition.experiments.verdicts import Judgement, judgements
from competition.lifecycle import (
    ExperimentState,
    FoldStates,
    JobKind,
    JobState,
    experiment_state,
    job_label,
    repeats_asked_for,
)
from competition.store.engine import Store
from competition.store.ranking import ListedExperiment, ListedJob, ListedParent, Place, Ranking, ranking


@dataclass(frozen=True)
class LeaderboardRow:
    """One experiment. Scores are fractions; `rank` is None for one without a score on the current split.

    An experiment with a score keeps it, its rank and its verdict while further seeds are trained; `state` and `reason`
    say that they are.

    `fold_scores` has an entry per fold of the split, the mean over its seeds (None: not done), `seed_scores` one per
    seed. `parent` is the experiment with the parent's configuration on the same split, or the name of the baseline if
    that has not been run; `judged` is None until both are complete. `leaks_allowed` is the reason why a leaking split
    is used, None for a split without leaks. `reason` says why there is no rank, or no verdict. `lineage` is the member
    in whose own lineage the experiment is, None for the team's.
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
    judged: Judgement | None = None
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
        most: no more rows than this, and no more is read than they need; None for all.
    """
    found = ranking(store, member=member, every_split=every_split, most=most)
    jobs = _by_experiment(found.jobs)
    fold_means = {experiment_id: its.fold_means for experiment_id, its in jobs.items()}
    judged = judgements(found.families, fold_means=fold_means, only=found.shown)
    failed = {c.experiment_id: f"no verdict: {c.trouble}" for c in found.families.comparisons if c.trouble}
    rows = [
        _row(found, place, jobs[place.experiment_id], judged.get(place.experiment_id), failed) for place in found.places
    ]
    return Standings(rows, found.total)


def pareto_front(rows: Iterable[LeaderboardRow]) -> list[LeaderboardRow]:
    """The ranked experiments that no other beats in score at the same training cost or less, cheapest first.

    The cost is the device time of one seed, because more seeds make a score more certain, not higher.
    """
    front: list[LeaderboardRow] = []
    for row in sorted((r for r in rows if r.rank), key=lambda r: (r.seconds_per_seed, -(r.score or 0.0))):
        if not front or (row.score or 0.0) > (front[-1].score or 0.0):
            front.append(row)
    return front


@dataclass
class _Jobs:
    """The jobs of one experiment."""

    debug: JobState | None = None
    folds: FoldStates = field(default_factory=dict)
    scores: dict[tuple[int, int], float] = field(default_factory=dict)
    device_s: float = 0.0
    trouble: str = ""

    def add(self, job: ListedJob) -> None:
        """Count one more job."""
        self.device_s += job.device_s
        if job.kind is JobKind.DEBUG:
            self.debug = job.state
        else:
            self.folds[job.fold, job.repeat] = job.state
            if job.state is JobState.SUCCEEDED and job.score is not None:
                self.scores[job.fold, job.repeat] = job.score
        if job.state is JobState.FAILED or (job.state is JobState.CANCELLED and not self.trouble):
            self.trouble = f"{job_label(job.kind, job.fold, job.repeat)}: {job.reason}"

    @cached_property
    def fold_means(self) -> dict[int, float]:
        """The score of each fold that is done, the mean over its seeds; read only after all jobs are added."""
        of_fold: dict[int, list[float]] = {}
        for (fold, _), score in sorted(self.scores.items()):
            of_fold.setdefault(fold, []).append(score)
        return {fold: fmean(scores) for fold, scores in of_fold.items()}


def _by_experiment(jobs: Sequence[ListedJob]) -> dict[int, _Jobs]:
    gathered: dict[int, _Jobs] = {}
    for job in jobs:
        gathered.setdefault(job.experiment_id, _Jobs()).add(job)
    return gathered


def _row(found: Ranking, place: Place, jobs: _Jobs, judged: Judgement | None, failed: dict[int, str]) -> LeaderboardRow:
    experiment = found.experiments[place.experiment_id]
    split = found.splits[experiment.split_version]
    state = experiment_state(jobs.debug, jobs.folds, needed=split.folds)
    parent = None
    if experiment.parent_sha256 is not None:
        parent = found.parents.get((experiment.parent_sha256, experiment.split_version))
    return LeaderboardRow(
        rank=place.rank,
        name=experiment.name,
        member=experiment.member,
        parent=_parent_name(experiment, parent),
        conditions=experiment.conditions,
        confounded=experiment.confounded,
        score=experiment.score,
        fold_scores=tuple(jobs.fold_means.get(k) for k in range(split.folds)),
        delta=_delta(experiment, parent, judged),
        device_seconds=jobs.device_s,
        state=state,
        reason=_reason(experiment, place, state, jobs, found) or failed.get(experiment.id, ""),
        split_version=experiment.split_version,
        leaks_allowed=split.leaks_allowed,
        note=experiment.note,
        seed_scores=experiment.seed_scores,
        judged=judged,
        lineage=experiment.lineage,
    )


def _parent_name(experiment: ListedExperiment, parent: ListedParent | None) -> str | None:
    """The parent, or the baseline if that has not been run; None for a baseline itself."""
    if experiment.parent_sha256 is None:
        return None
    return f"b{experiment.baseline_version}" if parent is None else parent.name


def _delta(experiment: ListedExperiment, parent: ListedParent | None, judged: Judgement | None) -> float | None:
    """The gain that was judged, or the difference of the scores if nothing was judged yet."""
    if judged is not None:
        return judged.effect.delta
    if parent is None or experiment.score is None or parent.score is None:
        return None
    return experiment.score - parent.score


def _reason(experiment: ListedExperiment, place: Place, state: ExperimentState, jobs: _Jobs, found: Ranking) -> str:
    """The reason why the experiment has no rank, or why its seeds are not all done; empty if it has none."""
    folds = found.splits[experiment.split_version].folds
    if experiment.score is not None and place.rank is None:
        return f"on split v{experiment.split_version}; the current one is v{max(found.splits)}"
    if experiment.score is None and state is ExperimentState.COMPLETE:
        return f"not scored: `comp run {experiment.name}` scores it, or says why it cannot"
    match state:
        case ExperimentState.COMPLETE:
            return ""
        case ExperimentState.FAILED | ExperimentState.CANCELLED:
            return jobs.trouble
        case ExperimentState.DEBUG:
            return "debug run only; it never ranks"
    seeds = len(repeats_asked_for(jobs.folds))
    return f"{len(jobs.scores)} of {folds * seeds} folds done{f' ({seeds} seeds)' if seeds > 1 else ''}"
