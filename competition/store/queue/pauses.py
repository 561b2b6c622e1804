"""Pauses: what keeps queued jobs from starting, because somebody said so."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select

from competition.store import events, schema
from competition.store.engine import Store

_pauses, _members, _experiments = schema.pauses, schema.members, schema.experiments


class Scope(StrEnum):
    """What a pause holds up."""

    QUEUE = "queue"
    MEMBER = "member"
    EXPERIMENT = "experiment"


@dataclass(frozen=True)
class Pause:
    """Nothing of its subject starts; `stops`: what runs is saved and given back too.

    `subject` is the member's or experiment's name, and `queue` for all.
    """

    scope: Scope
    subject: str
    stops: bool
    actor: str
    since: float

    def __str__(self) -> str:
        what = "the queue" if self.scope is Scope.QUEUE else f"{self.scope} {self.subject}"
        return f"{self.actor} has paused {what}{' and stopped what ran' if self.stops else ''}"


def every(store: Store) -> list[Pause]:
    """All pauses, oldest first."""
    query = (
        select(_pauses, _members.c.name.label("member"), _experiments.c.name.label("experiment"))
        .outerjoin(_members, _members.c.id == _pauses.c.member_id)
        .outerjoin(_experiments, _experiments.c.id == _pauses.c.experiment_id)
        .order_by(_pauses.c.id)
    )
    with store.read() as tx:
        return [
            Pause(Scope(r.scope), r.member or r.experiment or Scope.QUEUE, bool(r.stops), r.actor, r.since)
            for r in tx.execute(query)
        ]


def add(store: Store, scope: Scope, subject_id: int | None, subject: str, *, actor: str, stops: bool = False) -> None:
    """Keep the queued jobs of a subject from starting; a pause that is there already is replaced.

    Args:
        subject_id: of the member or experiment; None for the queue.
    """
    ids: dict[str, int | None] = {"member_id": None, "experiment_id": None}
    if scope is not Scope.QUEUE:
        ids[f"{scope}_id"] = subject_id
    with store.write() as tx:
        _remove(tx, scope, subject_id)
        values = {"scope": scope, "actor": actor, "stops": int(stops), "since": time.time(), **ids}
        tx.execute(insert(_pauses).values(values))
        events.record(tx, actor=actor, subject=subject, action="held" if stops else f"{scope} paused")


def remove(store: Store, scope: Scope, subject_id: int | None, subject: str, *, actor: str) -> bool:
    """Let the jobs of a subject start again; False if they were not paused."""
    with store.write() as tx:
        if not _remove(tx, scope, subject_id):
            return False
        events.record(tx, actor=actor, subject=subject, action=f"{scope} resumed")
        return True


def to_stop(store: Store, tokens: Collection[str]) -> list[str]:
    """Which of these live attempts belong to something that is held."""
    if not tokens:
        return []
    jobs, attempts = schema.jobs, schema.attempts
    query = (
        select(attempts.c.token)
        .join(jobs, jobs.c.id == attempts.c.job_id)
        .join(
            _pauses,
            or_(
                _pauses.c.scope == Scope.QUEUE,
                _pauses.c.experiment_id == jobs.c.experiment_id,
                _pauses.c.member_id == jobs.c.member_id,
            ),
        )
        .where(_pauses.c.stops == 1, attempts.c.token.in_(tokens))
    )
    with store.read() as tx:
        return list(tx.scalars(query))


def _remove(tx: Connection, scope: Scope, subject_id: int | None) -> int:
    return tx.execute(delete(_pauses).where(_is(scope, subject_id))).rowcount


def _is(scope: Scope, subject_id: int | None) -> ColumnElement[bool]:
    same: Any = _pauses.c.scope == scope
    return same if scope is Scope.QUEUE else and_(same, _pauses.c[f"{scope}_id"] == subject_id)
