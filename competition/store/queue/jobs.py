"""Jobs: what stands where, and the moves that people ask for. What devices do is in attempts.py."""

import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, select, update

from competition.errors import UnknownNameError
from competition.lifecycle import FailureKind, JobKind, JobState, check_move, job_label
from competition.store import events, schema
from competition.store.engine import Store
from competition.store.scores import forget_score


@dataclass(frozen=True)
class Job:
    """What one device runs. `device`, `started_at` and `progress` are of the attempt that is live, if one is."""

    id: int
    experiment: str
    member: str
    kind: JobKind
    fold: int
    repeat: int
    state: JobState
    reason: str | None
    failure: FailureKind | None
    failures: int
    priority: int
    queued_at: float
    finished_at: float | None
    device_s: float
    score: float | None
    facts: dict[str, Any] | None
    memory_mib: int | None
    device: str | None
    started_at: float | None
    progress: dict[str, Any] | None

    @property
    def label(self) -> str:
        """`debug`, `fold 2` or `fold 2 repeat 1`."""
        return job_label(self.kind, self.fold, self.repeat)

    @property
    def path_fold(self) -> int | None:
        """The fold as paths.py wants it: None for the debug job."""
        return None if self.kind is JobKind.DEBUG else self.fold

    @property
    def seen(self) -> "Seen":
        """What a move starts from."""
        return Seen(self.id, self.experiment, self.label, self.state)


@dataclass(frozen=True)
class Seen:
    """A job as somebody saw it; a move happens only if it is still in that state."""

    id: int
    experiment: str
    label: str
    state: JobState


def of_experiment(store: Store, name: str) -> list[Job]:
    """The jobs of one experiment: debug first, then the folds, one seed after the other."""
    with store.read() as tx:
        rows = tx.execute(_SELECT.where(schema.experiments.c.name == name))
        return sorted((_from_row(r) for r in rows), key=lambda j: (j.kind is JobKind.FOLD, j.repeat, j.fold))


def in_states(store: Store, states: Collection[JobState], *, most: int | None = None) -> list[Job]:
    """The jobs in one of the states: higher priority first, then whoever has waited longest.

    Args:
        most: no more than so many; None for all.
    """
    query = _in_order(_SELECT.where(schema.jobs.c.state.in_(states))).limit(most)
    with store.read() as tx:
        return [_from_row(r) for r in tx.execute(query)]


def by_id(store: Store, ids: Collection[int]) -> list[Job]:
    """The jobs with these ids, in no order."""
    with store.read() as tx:
        return [_from_row(r) for r in tx.execute(_SELECT.where(schema.jobs.c.id.in_(ids)))]


def is_any_live(store: Store, experiment: str) -> bool:
    """Whether a device may be working on one of an experiment's jobs."""
    table, experiments = schema.jobs, schema.experiments
    live = [state for state in JobState if state.is_live]
    query = select(table.c.id).join(experiments).where(experiments.c.name == experiment, table.c.state.in_(live))
    with store.read() as tx:
        return tx.scalar(query.limit(1)) is not None


def count(store: Store, states: Collection[JobState]) -> int:
    """How many jobs are in one of the states."""
    table = schema.jobs
    with store.read() as tx:
        return tx.scalar(select(func.count()).select_from(table).where(table.c.state.in_(states))) or 0


def _in_order(query: Select[Any]) -> Select[Any]:
    jobs = schema.jobs
    return query.order_by(jobs.c.priority.desc(), jobs.c.queued_at, jobs.c.id)


def cancel(store: Store, experiment: str, *, folds: Collection[int] | None, actor: str) -> list[Job]:
    """Cancel the unfinished jobs of an experiment (all, or some folds); those changed, as they were before.

    A running one stops at its worker's next heartbeat.
    """
    wanted = [j for j in _chosen(store, experiment, folds) if not j.state.is_finished]
    with store.write() as tx:
        moved = [
            job for job in wanted if move(tx, job.seen, JobState.CANCELLED, actor=actor, why=f"cancelled by {actor}")
        ]
        for job in moved:
            end_attempts(tx, job.id, outcome=JobState.CANCELLED)
        return moved


def retry(
    store: Store, experiment: str, *, folds: Collection[int] | None, actor: str, finished_too: bool = False
) -> list[Job]:
    """Queue again what failed or was cancelled; fold jobs wait for the debug job where that has not passed.

    Args:
        finished_too: also fold jobs that have succeeded, because what they left is damaged; the experiment has no
            score until they have succeeded again.
    """
    jobs = of_experiment(store, experiment)
    passed = any(j.kind is JobKind.DEBUG and j.state is JobState.SUCCEEDED for j in jobs)
    again = {JobState.FAILED, JobState.CANCELLED, *([JobState.SUCCEEDED] if finished_too else [])}
    wanted = [j for j in _chosen(store, experiment, folds) if j.state in again]
    if finished_too:
        wanted = [j for j in wanted if j.kind is JobKind.FOLD]
    if not passed:
        wanted += [j for j in jobs if j.kind is JobKind.DEBUG and j.state in again and j not in wanted]
    moved = []
    with store.write() as tx:
        for job in wanted:
            waits = job.kind is JobKind.FOLD and not passed
            target = JobState.WAITING if waits and job.state is JobState.CANCELLED else JobState.QUEUED
            if move(tx, job.seen, target, actor=actor, why="retried", score=None, failures=0):
                moved.append(job)
        if any(job.state is JobState.SUCCEEDED for job in moved):
            table = schema.experiments
            forget_score(tx, tx.scalars(select(table.c.id).where(table.c.name == experiment)).one())
    return moved


def bump(
    store: Store, experiment: str, *, folds: Collection[int] | None, priority: int | None, actor: str
) -> list[Job]:
    """Give an experiment's pending jobs a priority, by default one above all that wait; those changed."""
    table = schema.jobs
    wanted = [j for j in _chosen(store, experiment, folds) if j.state.is_pending]
    with store.write() as tx:
        if priority is None:
            pending = [state for state in JobState if state.is_pending]
            priority = (tx.scalar(select(func.max(table.c.priority)).where(table.c.state.in_(pending))) or 0) + 1
        for job in wanted:
            tx.execute(update(table).where(table.c.id == job.id).values(priority=priority))
            action = f"{job.label}: priority {job.priority} -> {priority}"
            events.record(tx, actor=actor, subject=experiment, action=action)
    return [replace(job, priority=priority) for job in wanted]


def move(
    tx: Connection,
    seen: Seen,
    new: JobState,
    *,
    actor: str,
    why: str | None,
    failure: FailureKind | None = None,
    **values: Any,
) -> bool:
    """Move a job that is still in the state it was seen in, and append the event; False if it no longer is.

    Raises:
        IllegalMoveError: the table of moves does not allow it.
    """
    check_move(seen.state, new)
    now = time.time()
    stamps = {"finished_at": now if new.is_finished else None}
    given = {"the_id": seen.id, "seen": seen.state, "state": new, "reason": why, "failure": failure}
    changed = tx.execute(_MOVE, {**given, **stamps, **values}).rowcount
    if changed:
        action = f"{seen.label}: {seen.state} -> {new}"
        events.record(tx, actor=actor, subject=seen.experiment, action=action, why=why, at=now)
    return bool(changed)


def end_attempts(tx: Connection, job_id: int, *, outcome: JobState) -> None:
    """Close the live attempt of a job, if there is one: its token is worth nothing from now on."""
    attempts = schema.attempts
    tx.execute(
        update(attempts)
        .where(attempts.c.job_id == job_id, attempts.c.ended_at.is_(None))
        .values(ended_at=time.time(), outcome=outcome)
    )


def _chosen(store: Store, experiment: str, folds: Collection[int] | None) -> list[Job]:
    jobs = of_experiment(store, experiment)
    if folds is None:
        return jobs
    present = {j.fold for j in jobs if j.kind is JobKind.FOLD}
    unknown = sorted(set(folds) - present)
    if unknown:
        raise UnknownNameError.among(f"fold of {experiment}", str(unknown[0]), [str(fold) for fold in sorted(present)])
    return [j for j in jobs if j.kind is JobKind.FOLD and j.fold in folds]


_MOVE = update(schema.jobs).where(schema.jobs.c.id == bindparam("the_id"), schema.jobs.c.state == bindparam("seen"))
_live = schema.attempts.c.ended_at.is_(None)
_SELECT = (
    select(
        schema.jobs,
        schema.experiments.c.name.label("experiment"),
        schema.members.c.name.label("member"),
        schema.attempts.c.device,
        schema.attempts.c.started_at,
        schema.attempts.c.progress,
    )
    .join(schema.experiments, schema.experiments.c.id == schema.jobs.c.experiment_id)
    .join(schema.members, schema.members.c.id == schema.experiments.c.member_id)
    .outerjoin(schema.attempts, (schema.attempts.c.job_id == schema.jobs.c.id) & _live)
)


def _from_row(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        experiment=row.experiment,
        member=row.member,
        kind=JobKind(row.kind),
        fold=row.fold,
        repeat=row.repeat,
        state=JobState(row.state),
        reason=row.reason,
        failure=FailureKind(row.failure) if row.failure else None,
        failures=row.failures,
        priority=row.priority,
        queued_at=row.queued_at,
        finished_at=row.finished_at,
        device_s=row.device_s,
        score=row.score,
        facts=row.facts,
        memory_mib=row.memory_mib,
        device=row.device,
        started_at=row.started_at,
        progress=row.progress,
    )
