"""Which experiments rank, and in what order: read from indexes alone, however many there are."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, func, select

from competition.lifecycle import ExperimentState, JobKind, JobState, experiment_state
from competition.store import schema
from competition.store.scores import fold_states

_experiments, _jobs = schema.experiments, schema.jobs


@dataclass(frozen=True)
class Place:
    """Where an experiment stands; `rank` is None for one that is not complete on the current split."""

    experiment_id: int
    rank: int | None


def places(
    tx: Connection, folds: Mapping[int, int], *, member: str | None = None, every_split: bool = False
) -> list[Place]:
    """Ranked experiments first, best first; then the others, newest first.

    Args:
        folds: the number of folds of each version of the split; the newest version is the current one.
        member: only this member's experiments (ranks stay those among everybody's).
        every_split: also experiments on older splits; they never rank.
    """
    current = max(folds, default=0)
    best = _complete(tx, current, folds.get(current, 0))
    ranks = {experiment_id: rank for rank, experiment_id in enumerate(best, start=1)}
    wanted: list[ColumnElement[bool]] = []
    if not every_split:
        wanted.append(_experiments.c.split_version == current)
    if member is not None:
        theirs = select(schema.members.c.id).where(schema.members.c.name == member)
        wanted.append(_experiments.c.member_id == theirs.scalar_subquery())
    newest_first = list(tx.scalars(select(_experiments.c.id).where(*wanted).order_by(_experiments.c.id.desc())))
    listed = set(newest_first)
    ranked = [Place(i, ranks[i]) for i in best if i in listed]
    return [*ranked, *(Place(i, None) for i in newest_first if i not in ranks)]


def _complete(tx: Connection, version: int, folds: int) -> list[int]:
    """The experiments of a split of which every fold of every seed asked for has succeeded, best first.

    Nearly all of them have nothing but jobs that have succeeded, one for each fold and seed: so many are counted. Of
    the others (a seed was added, or one cancelled) the jobs are looked at.
    """
    scored = select(_experiments.c.id, _experiments.c.score).where(
        _experiments.c.split_version == version, _experiments.c.score.is_not(None)
    )
    left = [state for state in JobState if state is not JobState.SUCCEEDED]
    unfinished = select(_jobs.c.experiment_id).where(_jobs.c.kind == JobKind.FOLD, _jobs.c.state.in_(left))
    counted = (
        select(_jobs.c.experiment_id)
        .where(_jobs.c.kind == JobKind.FOLD)
        .group_by(_jobs.c.experiment_id)
        .having(func.count() == folds * (func.max(_jobs.c.repeat) + 1))
    )
    whole = scored.where(_experiments.c.id.in_(counted), _experiments.c.id.not_in(unfinished))
    doubtful = scored.where(_experiments.c.id.in_(unfinished))
    found = {row.id: row.score for row in tx.execute(whole)}
    found |= {row.id: row.score for row in tx.execute(doubtful) if _is_complete(tx, row.id, folds)}
    return sorted(found, key=lambda experiment_id: (-found[experiment_id], -experiment_id))


def _is_complete(tx: Connection, experiment_id: int, folds: int) -> bool:
    rows = tx.execute(_folds_of(experiment_id)).all()
    return experiment_state(None, fold_states(rows), needed=folds) is ExperimentState.COMPLETE


def _folds_of(experiment_id: int) -> Select[tuple[int, int, str]]:
    columns = (_jobs.c.fold, _jobs.c.repeat, _jobs.c.state)
    return select(*columns).where(_jobs.c.experiment_id == experiment_id, _jobs.c.kind == JobKind.FOLD)
