"""Slots that attempts hold: they are another job's only once the processes of the attempt are proven gone."""

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, update

from competition.lifecycle import JobKind, JobState, job_label
from competition.store import schema
from competition.store.engine import Store
from competition.store.queue.attempts import WITH_JOB, Process


@dataclass(frozen=True)
class HeldSlot:
    """An attempt whose processes are not proven gone, with those who would know.

    Args:
        is_live: its token counts; else the attempt has ended and only its slot is still taken.
    """

    token: str
    job_id: int
    experiment: str
    label: str
    fold: int | None
    repeat: int
    state: JobState
    worker: Process
    child: Process | None
    device: str
    slot: int
    heartbeat_at: float
    is_live: bool


def free(store: Store, token: str) -> None:
    """Give out the slot of an ended attempt again: its processes are proven gone."""
    table = schema.attempts
    free_now = table.c.ended_at.is_not(None) & table.c.freed_at.is_(None)
    with store.write() as tx:
        tx.execute(update(table).where(table.c.token == token, free_now).values(freed_at=time.time()))


def held(store: Store, *, host: str | None = None) -> list[HeldSlot]:
    """The attempts (of a host) that are live, or have ended without their processes being proven gone."""
    query = WITH_JOB.where(schema.attempts.c.freed_at.is_(None))
    if host is not None:
        query = query.where(schema.attempts.c.host == host)
    with store.read() as tx:
        return [_held(row) for row in tx.execute(query)]


def is_any_held(store: Store) -> bool:
    """Whether `held` would find something: one look-up, for commands that have no time to lose."""
    with store.read() as tx:
        return tx.scalar(select(schema.attempts.c.id).where(schema.attempts.c.freed_at.is_(None)).limit(1)) is not None


def _held(row: Row[Any]) -> HeldSlot:
    child = None
    if row.child_pid is not None:
        child = Process(row.host, row.boot_id, row.child_pid, row.child_started_at)
    kind = JobKind(row.kind)
    return HeldSlot(
        token=row.token,
        job_id=row.job_id,
        experiment=row.experiment,
        label=job_label(kind, row.fold, row.repeat),
        fold=None if kind is JobKind.DEBUG else row.fold,
        repeat=row.repeat,
        state=JobState(row.state),
        worker=Process(row.host, row.boot_id, row.worker_pid, row.worker_started_at),
        child=child,
        device=row.device,
        slot=row.slot,
        heartbeat_at=row.heartbeat_at,
        is_live=row.ended_at is None,
    )
