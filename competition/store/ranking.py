"""Ranks: the order of the experiments, and the rows of the database that the leaderboard is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from competition.config.conditions import Condition
from competition.lifecycle import JobKind, JobState
from competition.store import schema, splits
from competition.store.engine import Store
from competition.store.families import Families, among, families
from competition.store.scores import scores_by_repeat
from competition.store.splits import SplitVersion


class Place(NamedTuple):
    """The place of an experiment; `rank` is None for one without a score on the current split.

    A tuple, because there may be thousands.
    """

    experiment_id: int
    rank: int | None


@dataclass(frozen=True)
class ListedExperiment:
    """An experiment as the leaderboard lists it; `lineage` is the owner of its lineage, None for the team's."""

    id: int
    name: str
    member: str
    split_version: int
    baseline_version: int
    parent_sha256: str | None
    conditions: tuple[Condition, ...]
    confounded: str | None
    note: str
    score: float | None
    seed_scores: tuple[float, ...]
    lineage: str | None


class ListedParent(NamedTuple):
    """An experiment that others may have started from."""

    name: str
    score: float | None
    config_sha256: str
    split_version: int


class ListedJob(NamedTuple):
    """A job as the leaderboard counts it. A tuple, because there may be tens of thousands."""

    experiment_id: int
    kind: JobKind
    fold: int
    repeat: int
    state: JobState
    score: float | None
    device_s: float
    reason: str | None


@dataclass(frozen=True)
class Ranking:
    """The part of the database that leaderboard rows are made from, at one moment.

    Args:
        places: of the experiments asked for; there are `total` in all.
        splits: every version of the split.
        experiments: those at the places, by id.
        parents: by the configuration's sha256 and the version of the split.
        jobs: those of the experiments at the places, and of all that their verdicts rest on.
    """

    places: list[Place]
    total: int
    splits: Mapping[int, SplitVersion]
    experiments: Mapping[int, ListedExperiment]
    parents: Mapping[tuple[str, int], ListedParent]
    jobs: Sequence[ListedJob]
    families: Families

    @property
    def shown(self) -> set[int] | None:
        """The ids of the experiments at the places; None for all that there are."""
        return None if len(self.places) == self.total else set(self.experiments)


def ranking(store: Store, *, member: str | None = None, every_split: bool = False, most: int | None = None) -> Ranking:
    """Ranked experiments first, best first; then the others, newest first.

    Args:
        member: only this member's experiments (ranks stay those among everybody's).
        every_split: also experiments on older splits; they never rank.
        most: read at most this many experiments; None for all.
    """
    with store.read() as tx:
        by_version = splits.by_version(tx)
        listed = places(tx, max(by_version, default=0), member=member, every_split=every_split)
        shown = listed[:most]
        ids = None if len(shown) == len(listed) else {place.experiment_id for place in shown}
        experiments = {row.id: _listed(row) for row in tx.execute(among(_EXPERIMENTS, schema.experiments.c.id, ids))}
        configs = None if ids is None else {e.parent_sha256 for e in experiments.values() if e.parent_sha256}
        parents = tx.execute(among(_PARENTS, schema.experiments.c.config_sha256, configs))
        compared = families(tx, ids)
        concerned = None if ids is None else {*ids, *(c.parent_id for c in compared.comparisons)}
        jobs = tx.execute(among(_JOBS, schema.jobs.c.experiment_id, concerned))
        return Ranking(
            places=shown,
            total=len(listed),
            splits=by_version,
            experiments=experiments,
            parents={(row.config_sha256, row.split_version): ListedParent._make(row) for row in parents},
            jobs=[_job(row) for row in jobs],
            families=compared,
        )


def places(tx: Connection, current: int, *, member: str | None, every_split: bool) -> list[Place]:
    """The place of every experiment that is asked for, read from indexes alone, however many there are."""
    table = schema.experiments
    best = _scored(tx, current)
    ranks = {experiment_id: rank for rank, experiment_id in enumerate(best, start=1)}
    wanted: list[ColumnElement[bool]] = []
    if not every_split:
        wanted.append(table.c.split_version == current)
    if member is not None:
        theirs = select(schema.members.c.id).where(schema.members.c.name == member)
        wanted.append(table.c.member_id == theirs.scalar_subquery())
    newest_first = tx.scalars(select(table.c.id).where(*wanted).order_by(table.c.id.desc())).all()
    listed = set(newest_first)
    ranked = [Place(i, ranks[i]) for i in best if i in listed]
    return [*ranked, *(Place(i, None) for i in newest_first if i not in ranks)]


def _scored(tx: Connection, version: int) -> Sequence[int]:
    """The experiments of a split that have a score, best first.

    A score is the mean over complete seeds. It stays while further seeds run or after one of them has failed, and is
    removed as soon as a fold that it rests on is queued again.
    """
    table = schema.experiments
    query = select(table.c.id).where(table.c.split_version == version, table.c.score.is_not(None))
    return tx.scalars(query.order_by(table.c.score.desc(), table.c.id.desc())).all()


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
_PARENTS: Select[Any] = select(*(schema.experiments.c[name] for name in ListedParent._fields))
_JOBS: Select[Any] = select(*(schema.jobs.c[name] for name in ListedJob._fields))


def _listed(row: Row[Any]) -> ListedExperiment:
    return ListedExperiment(
        id=row.id,
        name=row.name,
        member=row.member,
        split_version=row.split_version,
        baseline_version=row.baseline_version,
        parent_sha256=row.parent_sha256,
        conditions=tuple(Condition(**c) for c in row.conditions),
        confounded=row.confounded,
        note=row.note,
        score=row.score,
        seed_scores=tuple(scores_by_repeat(row).values()),
        lineage=row.lineage,
    )


_KINDS = {kind.value: kind for kind in JobKind}
_STATES = {state.value: state for state in JobState}


def _job(row: Any) -> ListedJob:
    # Enum members are looked up in a dict: calling the enum takes five times as long, and there are many jobs.
    experiment_id, kind, fold, repeat, state, score, device_s, reason = row
    return ListedJob(experiment_id, _KINDS[kind], fold, repeat, _STATES[state], score, device_s, reason)
