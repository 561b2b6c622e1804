"""Attempts: a device takes a job, says that it is alive, and hands in how it ended.

Every change names the attempt's token. A token whose attempt has ended (cancelled, taken for dead) changes nothing
any more: the functions say so by returning False, and the caller stops its child.
"""

import time
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from competition.jobspec import Progress, Succeeded
from competition.lifecycle import FailureKind, JobKind, JobState
from competition.store import events, jobs, schema
from competition.store.engine import Store
from competition.store.experiments import job_label


@dataclass(frozen=True)
class Process:
    """A process that cannot be mistaken for another, not even after a reboot or when its pid is used again."""

    host: str
    boot_id: str
    pid: int
    started_at: float


@dataclass(frozen=True)
class Claim:
    """A job that a device has taken."""

    token: str
    job_id: int
    experiment: str
    kind: JobKind
    fold: int
    repeat: int


@dataclass(frozen=True)
class LiveAttempt:
    """An attempt that has not ended, with the processes that would know."""

    token: str
    job_id: int
    experiment: str
    label: str
    fold: int | None
    repeat: int
    state: JobState
    device: str
    worker: Process
    child: Process | None
    heartbeat_at: float


def claim(store: Store, worker: Process, *, device: str, slot: int, experiment: str | None = None) -> Claim | None:
    """Take the first queued job (of one experiment, or of all) for a device's slot.

    None if there is none, or if the slot is taken by another worker of this host.
    """
    table, experiments = schema.jobs, schema.experiments
    query = (
        select(table.c.id, table.c.kind, table.c.fold, table.c.repeat, experiments.c.name)
        .join(experiments, experiments.c.id == table.c.experiment_id)
        .where(table.c.state == JobState.QUEUED)
    )
    if experiment is not None:
        query = query.where(experiments.c.name == experiment)
    with store.write() as tx:
        row = tx.execute(jobs.in_order(query).limit(1)).one_or_none()
        if row is None or _is_taken(tx, worker.host, device, slot):
            return None
        token = uuid.uuid4().hex
        _open_attempt(tx, row.id, token, worker, device=device, slot=slot)
        jobs.move(tx, row.id, JobState.RUNNING, actor=worker.host, why=f"on {device}", seen=JobState.QUEUED)
        return Claim(token, row.id, row.name, JobKind(row.kind), row.fold, row.repeat)


def child_started(store: Store, token: str, child: Process) -> None:
    """Remember the process that works on the attempt."""
    _touch(store, token, child_pid=child.pid, child_started_at=child.started_at)


def heartbeat(store: Store, token: str, progress: Progress | None) -> bool:
    """Say that the attempt is alive; False if it has been ended meanwhile. A suspect job runs again."""
    values = {} if progress is None else {"progress": asdict(progress)}
    return _touch(store, token, **values)


def succeed(store: Store, result: Succeeded) -> bool:
    """Hand in a finished job and the hashes of what it left; the debug job lets the folds go."""
    with store.write() as tx:
        row = _live(tx, result.token)
        if row is None:
            return False
        moved = _close(tx, row, JobState.SUCCEEDED, why=None, score=result.score, facts=result.facts)
        _record_artifacts(tx, row.job_id, result.artifacts)
        if row.kind == JobKind.DEBUG:
            _open_gate(tx, row.experiment_id)
        return moved


def fail(store: Store, token: str, *, kind: FailureKind, reason: str) -> bool:
    """Hand in a job that cannot go on; a failed debug job cancels the folds that wait for it."""
    with store.write() as tx:
        row = _live(tx, token)
        if row is None:
            return False
        moved = _close(tx, row, JobState.FAILED, why=reason, failure=kind)
        if row.kind == JobKind.DEBUG:
            _close_gate(tx, row.experiment_id, f"the debug run failed: {reason}")
        return moved


def release(store: Store, token: str, *, why: str) -> bool:
    """Give an interrupted job back to the queue; it resumes from its checkpoint."""
    with store.write() as tx:
        row = _live(tx, token)
        return row is not None and _close(tx, row, JobState.QUEUED, why=why)


def suspect(store: Store, token: str, *, why: str) -> bool:
    """Mark a running job whose heartbeat is overdue while its process may still be there."""
    with store.write() as tx:
        row = _live(tx, token)
        if row is None or row.state != JobState.RUNNING:
            return False
        return jobs.move(tx, row.job_id, JobState.SUSPECT, actor=events.SYSTEM, why=why, seen=JobState.RUNNING)


def lose(store: Store, token: str, *, why: str) -> bool:
    """End the attempt of processes that are proven gone, and queue the job again, in one step."""
    with store.write() as tx:
        row = _live(tx, token)
        if row is None:
            return False
        actor = events.SYSTEM
        jobs.move(tx, row.job_id, JobState.LOST, actor=actor, why=why, seen=JobState(row.state))
        jobs.move(
            tx,
            row.job_id,
            JobState.QUEUED,
            actor=actor,
            why=f"again, because {why}",
            seen=JobState.LOST,
            device_s=_spent(row),
        )
        jobs.end_attempts(tx, row.job_id, outcome=JobState.LOST)
        return True


def live(store: Store, *, host: str) -> list[LiveAttempt]:
    """The attempts of this host that have not ended."""
    query = _LIVE.where(schema.attempts.c.host == host)
    with store.read() as tx:
        return [_attempt(row) for row in tx.execute(query)]


def artifacts_of(store: Store, experiment: str) -> dict[tuple[str, str], str]:
    """sha256 by (job label, file name) of everything that an experiment's jobs left."""
    table, job, experiments = schema.artifacts, schema.jobs, schema.experiments
    query = (
        select(table.c.name, table.c.sha256, job.c.kind, job.c.fold, job.c.repeat)
        .join(job, job.c.id == table.c.job_id)
        .join(experiments, experiments.c.id == job.c.experiment_id)
        .where(experiments.c.name == experiment)
    )

    with store.read() as tx:
        return {(job_label(JobKind(r.kind), r.fold, r.repeat), r.name): r.sha256 for r in tx.execute(query)}


_LIVE = (
    select(
        schema.attempts,
        schema.jobs.c.state,
        schema.jobs.c.kind,
        schema.jobs.c.fold,
        schema.jobs.c.repeat,
        schema.jobs.c.experiment_id,
        schema.jobs.c.device_s,
        schema.experiments.c.name.label("experiment"),
    )
    .join(schema.jobs, schema.jobs.c.id == schema.attempts.c.job_id)
    .join(schema.experiments, schema.experiments.c.id == schema.jobs.c.experiment_id)
    .where(schema.attempts.c.ended_at.is_(None))
)


def _live(tx: Connection, token: str) -> Row[Any] | None:
    return tx.execute(_LIVE.where(schema.attempts.c.token == token)).one_or_none()


def _spent(row: Row[Any]) -> float:
    """The job's device time with this attempt's added, in seconds."""
    return float(row.device_s + max(0.0, time.time() - row.started_at))


def _close(tx: Connection, row: Row[Any], new: JobState, *, why: str | None, **values: Any) -> bool:
    """Move the job of a live attempt, count its device time, and end the attempt."""
    seen = JobState(row.state)
    moved = jobs.move(tx, row.job_id, new, actor=row.host, why=why, seen=seen, device_s=_spent(row), **values)
    jobs.end_attempts(tx, row.job_id, outcome=new)
    return moved


def _touch(store: Store, token: str, **values: Any) -> bool:
    table = schema.attempts
    with store.write() as tx:
        row = _live(tx, token)
        if row is None:
            return False
        if row.state == JobState.SUSPECT:
            jobs.move(
                tx,
                row.job_id,
                JobState.RUNNING,
                actor=row.host,
                why="its heartbeat came back",
                seen=JobState.SUSPECT,
            )
        tx.execute(update(table).where(table.c.token == token).values(heartbeat_at=time.time(), **values))
        return True


def _is_taken(tx: Connection, host: str, device: str, slot: int) -> bool:
    table = schema.attempts
    live = table.c.ended_at.is_(None)
    here = (table.c.host == host) & (table.c.device == device) & (table.c.slot == slot)
    return tx.scalar(select(table.c.id).where(live & here)) is not None


def _open_attempt(tx: Connection, job_id: int, token: str, worker: Process, *, device: str, slot: int) -> None:
    now = time.time()
    tx.execute(
        insert(schema.attempts).values(
            job_id=job_id,
            token=token,
            host=worker.host,
            boot_id=worker.boot_id,
            worker_pid=worker.pid,
            worker_started_at=worker.started_at,
            device=device,
            slot=slot,
            started_at=now,
            heartbeat_at=now,
        )
    )


def _record_artifacts(tx: Connection, job_id: int, artifacts: dict[str, str]) -> None:
    table = schema.artifacts
    tx.execute(table.delete().where(table.c.job_id == job_id))
    if artifacts:
        rows = [{"job_id": job_id, "name": name, "sha256": sha} for name, sha in artifacts.items()]
        tx.execute(insert(table), rows)


def _open_gate(tx: Connection, experiment_id: int) -> None:
    for job_id in _waiting(tx, experiment_id):
        jobs.move(
            tx,
            job_id,
            JobState.QUEUED,
            actor=events.SYSTEM,
            why="the debug run passed",
            seen=JobState.WAITING,
        )


def _close_gate(tx: Connection, experiment_id: int, why: str) -> None:
    for job_id in _waiting(tx, experiment_id):
        jobs.move(tx, job_id, JobState.CANCELLED, actor=events.SYSTEM, why=why, seen=JobState.WAITING)


def _waiting(tx: Connection, experiment_id: int) -> list[int]:
    table = schema.jobs
    query = select(table.c.id).where(table.c.experiment_id == experiment_id, table.c.state == JobState.WAITING)
    return list(tx.scalars(query))


def _attempt(row: Row[Any]) -> LiveAttempt:

    worker = Process(row.host, row.boot_id, row.worker_pid, row.worker_started_at)
    child = None
    if row.child_pid is not None:
        child = Process(row.host, row.boot_id, row.child_pid, row.child_started_at)
    kind = JobKind(row.kind)
    return LiveAttempt(
        token=row.token,
        job_id=row.job_id,
        experiment=row.experiment,
        label=job_label(kind, row.fold, row.repeat),
        fold=None if kind is JobKind.DEBUG else row.fold,
        repeat=row.repeat,
        state=JobState(row.state),
        device=row.device,
        worker=worker,
        child=child,
        heartbeat_at=row.heartbeat_at,
    )
