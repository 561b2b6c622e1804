"""Attempts: a device takes a job, says that it is alive, and hands in how it ended.

Every change names the attempt's token. A token whose attempt has ended (cancelled, taken for dead) changes nothing
any more: the functions say so by returning False, and the caller stops its child. What such an attempt finishes all
the same is accepted if nobody has run the job since, and else kept beside the result that counts.
"""

import time
import uuid
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from competition.jobspec import Progress, Succeeded
from competition.lifecycle import MOST_ATTEMPTS, FailureKind, JobKind, JobState, job_label
from competition.store import artifacts, events, schema
from competition.store.engine import Store
from competition.store.queue import jobs, order

LATE = "late"
"""The outcome of an attempt whose result came when the job was somebody else's already."""


@dataclass(frozen=True)
class Process:
    """A process that cannot be mistaken for another, not even after a reboot or when its pid is used again.

    `started_at` counts from the boot, so that a clock that is set does not change it.
    """

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


def claim(
    store: Store,
    worker: Process,
    *,
    device: str,
    slot: int,
    experiment: str | None = None,
    free_mib: int | None = None,
    known_memory_only: bool = False,
) -> Claim | None:
    """Take the job whose turn it is (of one experiment, or of all) for a device's slot.

    None if there is none, or if the slot is taken: by an attempt of this host whose processes are not proven gone.

    Args:
        free_mib: pass over jobs that are known to need more memory (MiB) than this.
        known_memory_only: also pass over those of which nobody knows what they need.
    """
    with store.write() as tx:
        held = tx.execute(_HELD, {"host": worker.host}).all()
        if any(row.device == device and row.slot == slot for row in held):
            return None
        leftover = [row.job_id for row in held if row.ended_at is not None]
        running = order.running_s(held, now=time.time())
        row = order.next_job(
            tx,
            running,
            experiment=experiment,
            passed_over=leftover,
            free_mib=free_mib,
            known_memory_only=known_memory_only,
        )
        if row is None:
            return None
        token = uuid.uuid4().hex
        _open_attempt(tx, row.id, token, worker, device=device, slot=slot)
        seen = jobs.Seen(row.id, row.experiment, job_label(JobKind(row.kind), row.fold, row.repeat), JobState.QUEUED)
        jobs.move(tx, seen, JobState.RUNNING, actor=worker.host, why=f"on {device}")
        return Claim(token, row.id, row.experiment, JobKind(row.kind), row.fold, row.repeat)


def child_started(store: Store, token: str, child: Process) -> bool:
    """Remember the process that works on the attempt; False if that has ended meanwhile."""
    return _touch(store, token, child_pid=child.pid, child_started_at=child.started_at)


def heartbeat(store: Store, token: str, progress: Progress | None) -> bool:
    """Say that the attempt is alive; False if it has been ended meanwhile. A suspect job runs again."""
    values = {} if progress is None else {"progress": asdict(progress)}
    return _touch(store, token, **values)


def succeed(store: Store, result: Succeeded) -> bool:
    """Hand in a finished job and the hashes of what it left; the debug job lets the folds go.

    The attempt's processes must be gone: its slot is free from now on. A result whose token counts no more is accepted
    if the job waits for its next attempt, else it is kept as late; False says so.
    """
    with store.write() as tx:
        row = _any(tx, result.token)
        if row is None or row.outcome in (JobState.SUCCEEDED, LATE):
            return False
        is_live = row.ended_at is None
        if not is_live and not (row.state == JobState.QUEUED and row.token == _newest_token(tx, row.job_id)):
            _keep_late(tx, row, result)
            return False
        why = None if is_live else "the result of an attempt that was given up came late"
        _close(tx, row, JobState.SUCCEEDED, why=why, score=result.score, facts=result.facts, failures=0)
        artifacts.record(tx, row.job_id, result.artifacts)
        memory = _peak(row, result)
        if memory is not None:
            order.expect_memory(tx, row.shape, memory, measured_by=row.job_id)
        if row.kind == JobKind.DEBUG:
            _open_gate(tx, row.experiment_id)
        return True


def fail(store: Store, token: str, *, kind: FailureKind, reason: str, log_tail: str = "") -> bool:
    """Hand in an attempt that cannot go on; its processes must be gone.

    Where the machine may be to blame, the job goes to the end of the queue until it has failed `MOST_ATTEMPTS` times; a
    job whose processes were killed from outside goes on at once, and that counts for nothing. Any other failure is
    final, and that of a debug job cancels the folds that wait for it.
    """
    with store.write() as tx:
        row = _live(tx, token)
        if row is None:
            return False
        note = {"failure": kind, "reason": reason, "log_tail": log_tail or None}
        if kind is FailureKind.LOST:
            _lose(tx, row, why=reason, note=note)
            return True
        failures = row.failures + 1
        _close(tx, row, JobState.FAILED, why=reason, failure=kind, note=note, failures=failures)
        if kind.blames_machine and failures < MOST_ATTEMPTS:
            again = f"attempt {failures + 1} of {MOST_ATTEMPTS}, after: {reason}"
            seen = jobs.Seen(row.job_id, row.experiment, _label(row), JobState.FAILED)
            jobs.move(tx, seen, JobState.QUEUED, actor=events.SYSTEM, why=again, queued_at=time.time())
        elif row.kind == JobKind.DEBUG:
            _close_gate(tx, row.experiment_id, "the debug run failed")
        return True


def release(store: Store, token: str, *, why: str) -> bool:
    """Give an interrupted job back to the queue; it resumes from its checkpoint. Its processes must be gone."""
    with store.write() as tx:
        row = _live(tx, token)
        if row is None:
            return False
        _close(tx, row, JobState.QUEUED, why=why)
        return True


def suspect(store: Store, token: str, *, why: str) -> bool:
    """Mark a running job whose heartbeat is overdue while its process may still be there."""
    with store.write() as tx:
        row = _live(tx, token)
        if row is None or row.state != JobState.RUNNING:
            return False
        return jobs.move(tx, _seen(row), JobState.SUSPECT, actor=events.SYSTEM, why=why)


def lose(store: Store, token: str, *, why: str, log_tail: str = "") -> bool:
    """End the attempt of processes that are proven gone, and queue the job again, in one step."""
    return fail(store, token, kind=FailureKind.LOST, reason=why, log_tail=log_tail)


def log_tail(store: Store, job_id: int) -> str | None:
    """The last lines that the job's last failed attempt printed."""
    table = schema.attempts
    query = select(table.c.log_tail).where(table.c.job_id == job_id, table.c.failure.is_not(None))
    with store.read() as tx:
        return tx.scalar(query.order_by(table.c.id.desc()).limit(1))


_OF_JOB = ("state", "kind", "fold", "repeat", "experiment_id", "member_id", "device_s", "failures", "shape")
_COLUMNS: list[Any] = [
    *(c for c in schema.attempts.c if c.name not in ("progress", "result", "log_tail", "failure", "reason")),
    *(schema.jobs.c[name] for name in _OF_JOB),
    schema.experiments.c.name.label("experiment"),
]
WITH_JOB: Select[Any] = (
    select(*_COLUMNS)
    .join(schema.jobs, schema.jobs.c.id == schema.attempts.c.job_id)
    .join(schema.experiments, schema.experiments.c.id == schema.jobs.c.experiment_id)
)
"""Every attempt with what its job says; of the queue's own modules alone."""
_BY_TOKEN = (
    WITH_JOB.add_columns(schema.members.c.usage_s, schema.members.c.usage_at)
    .join(schema.members, schema.members.c.id == schema.jobs.c.member_id)
    .where(schema.attempts.c.token == bindparam("token"))
)
_SLOT_COLUMNS: list[Any] = [
    *(schema.attempts.c[name] for name in ("job_id", "device", "slot", "started_at", "ended_at")),
    schema.jobs.c.member_id,
]
_HELD = (
    select(*_SLOT_COLUMNS)
    .join(schema.jobs, schema.jobs.c.id == schema.attempts.c.job_id)
    .where(schema.attempts.c.freed_at.is_(None), schema.attempts.c.host == bindparam("host"))
)
_WAITING = (
    select(*(schema.jobs.c[name] for name in ("id", "kind", "fold", "repeat")), schema.experiments.c.name)
    .join(schema.experiments, schema.experiments.c.id == schema.jobs.c.experiment_id)
    .where(schema.jobs.c.experiment_id == bindparam("experiment_id"), schema.jobs.c.state == JobState.WAITING)
)
_INSERT = insert(schema.attempts)
_END = update(schema.attempts).where(schema.attempts.c.id == bindparam("the_id"))
_TOUCH = update(schema.attempts).where(schema.attempts.c.token == bindparam("the_token"))


def _any(tx: Connection, token: str) -> Any | None:
    return tx.execute(_BY_TOKEN, {"token": token}).one_or_none()


def _live(tx: Connection, token: str) -> Any | None:
    row = _any(tx, token)
    return row if row is not None and row.ended_at is None else None


def _newest_token(tx: Connection, job_id: int) -> str | None:
    table = schema.attempts
    return tx.scalar(select(table.c.token).where(table.c.job_id == job_id).order_by(table.c.id.desc()).limit(1))


def _label(row: Any) -> str:
    return job_label(JobKind(row.kind), row.fold, row.repeat)


def _seen(row: Any) -> jobs.Seen:
    return jobs.Seen(row.job_id, row.experiment, _label(row), JobState(row.state))


def _close(
    tx: Connection,
    row: Any,
    new: JobState,
    *,
    why: str | None,
    failure: FailureKind | None = None,
    note: dict[str, Any] | None = None,
    **values: Any,
) -> None:
    """Move an attempt's job, count its device time, and end the attempt; its slot is free."""
    now = time.time()
    spent_s = max(0.0, now - row.started_at) if row.ended_at is None else 0.0
    device_s = row.device_s + spent_s
    jobs.move(tx, _seen(row), new, actor=row.host, why=why, failure=failure, device_s=device_s, **values)
    ending = {"ended_at": now, "freed_at": now, "outcome": new, **(note or {})}
    tx.execute(_END, {"the_id": row.id, **ending})
    order.count_usage(tx, row, spent_s, now=now)


def _lose(tx: Connection, row: Any, *, why: str, note: dict[str, Any]) -> None:
    _close(tx, row, JobState.LOST, why=why, failure=FailureKind.LOST, note=note)
    seen = jobs.Seen(row.job_id, row.experiment, _label(row), JobState.LOST)
    jobs.move(tx, seen, JobState.QUEUED, actor=events.SYSTEM, why=f"again, because {why}")


def _keep_late(tx: Connection, row: Any, result: Succeeded) -> None:
    """Keep a result beside the one that counts, or will: the job was cancelled or run again since."""
    table = schema.attempts
    ending = {"outcome": LATE, "freed_at": time.time(), "result": result.to_json()}
    tx.execute(update(table).where(table.c.id == row.id).values(ending))
    why = "its attempt had been given up, and the job was cancelled or run again since"
    events.record(tx, actor=row.host, subject=row.experiment, action=f"{_label(row)}: late result kept", why=why)


def _peak(row: Any, result: Succeeded) -> int | None:
    """The most memory (MiB) that the job had on its GPU; on a CPU nothing is admitted by memory."""
    if row.device == "cpu":
        return None
    peak = result.facts.get("peak_memory_mib")
    return int(peak) if isinstance(peak, int | float) else None


def _touch(store: Store, token: str, *, progress: dict[str, Any] | None = None, **values: Any) -> bool:
    with store.write() as tx:
        row = _live(tx, token)
        if row is None:
            return False
        if row.state == JobState.SUSPECT:
            jobs.move(tx, _seen(row), JobState.RUNNING, actor=row.host, why="its heartbeat came back")
        if progress is not None:
            values["progress"] = progress
        tx.execute(_TOUCH, {"the_token": token, "heartbeat_at": time.time(), **values})
        return True


def _open_attempt(tx: Connection, job_id: int, token: str, worker: Process, *, device: str, slot: int) -> None:
    now = time.time()
    values = {
        "job_id": job_id,
        "token": token,
        "host": worker.host,
        "boot_id": worker.boot_id,
        "worker_pid": worker.pid,
        "worker_started_at": worker.started_at,
        "device": device,
        "slot": slot,
        "started_at": now,
        "heartbeat_at": now,
    }
    tx.execute(_INSERT, values)


def _open_gate(tx: Connection, experiment_id: int) -> None:
    for job in _waiting(tx, experiment_id):
        jobs.move(tx, job, JobState.QUEUED, actor=events.SYSTEM, why="the debug run passed")


def _close_gate(tx: Connection, experiment_id: int, why: str) -> None:
    for job in _waiting(tx, experiment_id):
        jobs.move(tx, job, JobState.CANCELLED, actor=events.SYSTEM, why=why)


def _waiting(tx: Connection, experiment_id: int) -> Collection[jobs.Seen]:
    rows = tx.execute(_WAITING, {"experiment_id": experiment_id})
    return [jobs.Seen(r.id, r.name, job_label(JobKind(r.kind), r.fold, r.repeat), JobState.WAITING) for r in rows]
