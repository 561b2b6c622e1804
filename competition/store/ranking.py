"""Which experiments rank, and in what order: read from indexes alone, however many there are."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, select

from competition.store import schema

_experiments = schema.experiments


class Place(NamedTuple):
    """Where an experiment stands; `rank` is None for one without a score on the current split.

    A tuple, as there may be thousands.
    """

    experiment_id: int
    rank: int | None


def places(
    tx: Connection, versions: Collection[int], *, member: str | None = None, every_split: bool = False
) -> list[Place]:
    """Ranked experiments first, best first; then the others, newest first.

    Args:
        versions: of the split; the newest is the current one.
        member: only this member's experiments (ranks stay those among everybody's).
        every_split: also experiments on older splits; they never rank.
    """
    current = max(versions, default=0)
    best = _scored(tx, current)
    ranks = {experiment_id: rank for rank, experiment_id in enumerate(best, start=1)}
    wanted: list[ColumnElement[bool]] = []
    if not every_split:
        wanted.append(_experiments.c.split_version == current)
    if member is not None:
        theirs = select(schema.members.c.id).where(schema.members.c.name == member)
        wanted.append(_experiments.c.member_id == theirs.scalar_subquery())
    newest_first = tx.scalars(select(_experiments.c.id).where(*wanted).order_by(_experiments.c.id.desc())).all()
    listed = set(newest_first)
    ranked = [Place(i, ranks[i]) for i in best if i in listed]
    return [*ranked, *(Place(i, None) for i in newest_first if i not in ranks)]


def _scored(tx: Connection, version: int) -> Sequence[int]:
    """The experiments of a split that have a score, best first.

    A score is of whole seeds. It stays while further seeds run, or where one of them has failed, and goes as soon as a
    fold that it rests on is to be trained again.
    """
    query = select(_experiments.c.id).where(_experiments.c.split_version == version, _experiments.c.score.is_not(None))
    return tx.scalars(query.order_by(_experiments.c.score.desc(), _experiments.c.id.desc())).all()
