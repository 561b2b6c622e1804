"""The work of each member: running and waiting jobs, device time, and the newest complete experiment."""

import time
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from competition.lifecycle import JobState
from competition.store import schema
from competition.store.engine import Store
from competition.store.queue import jobs

WEEK_S = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Workload:
    """The work of one member. `last` is their experiment that was completed last, None before the first.

    Args:
        running: jobs on a device now, such as `dice-0.5 fold 2`.
        queued: number of jobs that wait for a device or for the debug job.
        device_s: seconds on a device in the last seven days, running jobs included.
    """

    running: tuple[str, ...] = ()
    queued: int = 0
    device_s: float = 0.0
    last: str | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no job runs or waits."""
        return not self.running and not self.queued


def workloads(store: Store) -> dict[str, Workload]:
    """The work of every member by name; members without any have an empty one."""
    live = jobs.in_states(store, [s for s in JobState if not s.is_finished])
    now = time.time()
    with store.read() as tx:
        names = tx.scalars(select(schema.members.c.name)).all()
        spent, last = _device_s(tx, now - WEEK_S, now), _last_completed(tx)
    return {
        name: Workload(
            running=tuple(f"{j.experiment} {j.label}" for j in live if j.member == name and j.state.is_live),
            queued=sum(j.member == name and j.state.is_pending for j in live),
            device_s=spent.get(name, 0.0),
            last=last.get(name),
        )
        for name in names
    }


def _device_s(tx: Connection, since: float, now: float) -> dict[str, float]:
    """Seconds of every member's attempts between `since` and `now`."""
    attempts, members = schema.attempts, schema.members
    query = (
        select(members.c.name, attempts.c.started_at, func.coalesce(attempts.c.ended_at, now).label("until"))
        .join(schema.jobs, schema.jobs.c.id == attempts.c.job_id)
        .join(schema.experiments, schema.experiments.c.id == schema.jobs.c.experiment_id)
        .join(members, members.c.id == schema.experiments.c.member_id)
        .where(func.coalesce(attempts.c.ended_at, now) > since)
    )
    spent: dict[str, float] = {}
    for row in tx.execute(query):
        spent[row.name] = spent.get(row.name, 0.0) + max(0.0, row.until - max(since, row.started_at))
    return spent


def _last_completed(tx: Connection) -> dict[str, str]:
    """By member, the scored experiment whose last job ended last."""
    experiments, members = schema.experiments, schema.members
    ended = func.max(schema.jobs.c.finished_at).label("ended")
    query = (
        select(members.c.name.label("member"), experiments.c.name)
        .join(members, members.c.id == experiments.c.member_id)
        .join(schema.jobs, schema.jobs.c.experiment_id == experiments.c.id)
        .where(experiments.c.score.is_not(None))
        .group_by(members.c.name, experiments.c.name, experiments.c.id)
        .order_by(ended, experiments.c.id)
    )
    return {row.member: row.name for row in tx.execute(query)}
