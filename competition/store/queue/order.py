"""Whose turn it is: priority first, then the member who has used the devices least lately, then the oldest job.

A member's use is device time that fades with a half-life of a day, as in the fair-share priority of batch systems
(Kay and Lauder, "A Fair Share Scheduler", CACM 31(1), 1988): who used everything yesterday is not held back for ever.
"""

import time
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, or_, select, update

from competition.lifecycle import JobState
from competition.store import schema
from competition.store.engine import Store

HALF_LIFE_S = 86_400.0

_members, _jobs, _experiments, _pauses = schema.members, schema.jobs, schema.experiments, schema.pauses


class Waiting(NamedTuple):
    """A queued job, with what its turn depends on. A tuple, as there may be thousands.

    Args:
        paused: a pause keeps it from starting.
        expected_s: what the last jobs of its shape took on average, else the last of its kind; None without any.
    """

    job_id: int
    member_id: int
    priority: int
    queued_at: float
    paused: bool
    expected_s: float | None


def next_job(
    tx: Connection,
    running: Mapping[int, float],
    *,
    experiment: str | None,
    passed_over: Collection[int],
    free_mib: int | None,
    known_memory_only: bool,
) -> Any | None:
    """The queued job whose turn it is: id, kind, fold, repeat and the experiment's name.

    Args:
        running: device seconds of jobs that run now, by member.
        passed_over: jobs that may not start, because processes of an earlier attempt are still there.
    """
    query = _first_of_each(of_one=experiment is not None, by_memory=free_mib is not None, known_only=known_memory_only)
    values = {"passed_over": list(passed_over), "experiment": experiment, "free_mib": free_mib}
    now = time.time()
    return min(
        tx.execute(query, values),
        key=lambda row: (-row.priority, faded_s(row, now) + running.get(row.member_id, 0.0), row.queued_at, row.id),
        default=None,
    )


def waiting(store: Store) -> list[Waiting]:
    """Every queued job, in no order."""
    with store.read() as tx:
        rows = tx.execute(_QUEUED).all()
        expected = {(shape, kind): _recent_mean_s(tx, kind, shape) for shape, kind in {(r.shape, r.kind) for r in rows}}
        strangers = {kind for (_, kind), seconds in expected.items() if not seconds}
        by_kind = {kind: _recent_mean_s(tx, kind) for kind in strangers}
    return [
        Waiting(
            job_id=row.id,
            member_id=row.member_id,
            priority=row.priority,
            queued_at=row.queued_at,
            paused=bool(row.paused),
            expected_s=expected[row.shape, row.kind] or by_kind.get(row.kind),
        )
        for row in rows
    ]


def usage(store: Store) -> dict[int, float]:
    """The faded device seconds of every member, by id, those of jobs that run now included."""
    now = time.time()
    attempts = schema.attempts
    live = select(_jobs.c.member_id, attempts.c.started_at).join(_jobs, _jobs.c.id == attempts.c.job_id)
    with store.read() as tx:
        found = {row.id: faded_s(row, now) for row in tx.execute(select(_members))}
        running = running_s(tx.execute(live.where(attempts.c.ended_at.is_(None))), now=now)
    return {member: seconds + running.get(member, 0.0) for member, seconds in found.items()}


def anything_to_start(store: Store, *, experiment: str | None = None) -> bool:
    """Whether a job is queued that no pause keeps from starting."""
    query = select(_jobs.c.id).where(_jobs.c.state == JobState.QUEUED, _MAY_START)
    if experiment is not None:
        query = query.join(_experiments).where(_experiments.c.name == experiment)
    with store.read() as tx:
        return tx.scalar(query.limit(1)) is not None


def running_s(live: Iterable[Any], *, now: float) -> dict[int, float]:
    """Seconds that live attempts have run so far, by member."""
    found: dict[int, float] = {}
    for row in live:
        found[row.member_id] = found.get(row.member_id, 0.0) + max(0.0, now - row.started_at)
    return found


def count_usage(tx: Connection, row: Any, seconds: float, *, now: float) -> None:
    """Add device time to what a member has used; `row` has the member's id and what they have used so far."""
    used = {"usage_s": faded_s(row, now) + seconds, "usage_at": now}
    tx.execute(_COUNT, {"the_member": row.member_id, **used})


def faded_s(row: Any, now: float) -> float:
    """What is left of a member's use after the time since it was last counted; a clock set back fades nothing."""
    return float(row.usage_s * 0.5 ** (max(0.0, now - row.usage_at) / HALF_LIFE_S))


def expect_memory(tx: Connection, shape: str | None, memory_mib: int, *, measured_by: int) -> None:
    """Let the jobs of one shape that are still to run need what one of them has needed."""
    concerned = or_(_jobs.c.state.in_([JobState.WAITING, JobState.QUEUED]), _jobs.c.id == measured_by)
    more = or_(_jobs.c.memory_mib.is_(None), _jobs.c.memory_mib < memory_mib)
    tx.execute(update(_jobs).where(_jobs.c.shape == shape, concerned, more).values(memory_mib=memory_mib))


def known_memory(tx: Connection, shape: str) -> int | None:
    """The peak (MiB) of earlier jobs of a shape; None where none has told."""
    peak: int | None = tx.scalar(select(func.max(_jobs.c.memory_mib)).where(_jobs.c.shape == shape))
    return peak


_COUNT = update(_members).where(_members.c.id == bindparam("the_member"))
_PAUSED = (
    select(_pauses.c.id)
    .where(
        or_(
            _pauses.c.scope == "queue",
            _pauses.c.member_id == _jobs.c.member_id,
            _pauses.c.experiment_id == _jobs.c.experiment_id,
        )
    )
    .correlate(_jobs)
    .exists()
)
_MAY_START = ~_PAUSED
_TURN_COLUMNS: list[Any] = [_jobs.c[name] for name in ("id", "kind", "shape", "member_id", "priority", "queued_at")]
_QUEUED = select(*_TURN_COLUMNS, _PAUSED.label("paused")).where(_jobs.c.state == JobState.QUEUED)


def _recent_mean_s(tx: Connection, kind: str, shape: str | None = None, *, most: int = 100) -> float | None:
    """What the last jobs of a kind (and shape) took on average."""
    done = select(_jobs.c.device_s).where(_jobs.c.kind == kind, _jobs.c.state == JobState.SUCCEEDED)
    if shape is not None:
        done = done.where(_jobs.c.shape == shape)
    recent = done.order_by(_jobs.c.id.desc()).limit(most).subquery()
    return tx.scalar(select(func.avg(recent.c.device_s)))


@cache
def _first_of_each(*, of_one: bool, by_memory: bool, known_only: bool) -> Select[Any]:
    """For each member the first of their queued jobs that may start. A statement is built once, as building takes
    longer than running it.

    Args:
        of_one: only jobs of the parameter `experiment`.
        by_memory: no job that is known to need more than the parameter `free_mib`.
        known_only: then also no job whose need is not known.
    """
    theirs: list[ColumnElement[bool]] = [_jobs.c.state == JobState.QUEUED, _jobs.c.member_id == _members.c.id]
    theirs += [_MAY_START, _jobs.c.id.not_in(bindparam("passed_over", expanding=True))]
    if of_one:
        named = select(_experiments.c.id).where(_experiments.c.name == bindparam("experiment")).correlate(None)
        theirs.append(_jobs.c.experiment_id == named.scalar_subquery())
    if by_memory:
        fits = _jobs.c.memory_mib <= bindparam("free_mib")
        theirs.append(fits if known_only else or_(_jobs.c.memory_mib.is_(None), fits))
    # The index `ix_jobs_claim` has these columns in this order and direction, so that the first row it meets is the
    # answer. Any other form (a maximum, a join) reads every queued job on PostgreSQL.
    first = (
        select(_jobs.c.id)
        .where(*theirs)
        .order_by(_jobs.c.priority.desc(), _jobs.c.queued_at, _jobs.c.id)
        .limit(1)
        .correlate(_members)
        .scalar_subquery()
    )
    picked = _jobs.alias("picked")
    columns = (picked.c[name] for name in ("id", "kind", "fold", "repeat", "priority", "queued_at", "member_id"))
    return (
        select(*columns, _experiments.c.name.label("experiment"), _members.c.usage_s, _members.c.usage_at)
        .select_from(_members)
        .join(picked, picked.c.id == first)
        .join(_experiments, _experiments.c.id == picked.c.experiment_id)
    )
