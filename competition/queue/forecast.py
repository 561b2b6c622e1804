"""When queued jobs will run: the order of `store.order`, played forward over the slots that work now. Pure."""

import heapq
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from competition.store.queue.order import Waiting


class Turn(NamedTuple):
    """A queued job's place in the order (from 1) and the seconds until it starts; None where nobody can say.

    A tuple, as `Waiting` is.
    """

    place: int
    starts_in_s: float | None


def forecast(waiting: Iterable[Waiting], usage: Mapping[int, float], slots: Iterable[float | None]) -> dict[int, Turn]:
    """The turn of every queued job that no pause keeps from starting, by its id.

    A member whose job starts counts as having used the device for as long as it is expected to take, as it will be when
    the next job's turn is decided.

    Args:
        usage: device seconds of every member, by id.
        slots: for each slot that works, the seconds until it is free; None where nobody knows.
    """
    queues: dict[int, list[Waiting]] = {}
    for job in sorted(waiting, key=lambda job: (-job.priority, job.queued_at, job.job_id), reverse=True):
        if not job.paused:
            queues.setdefault(job.member_id, []).append(job)
    used = {member: usage.get(member, 0.0) for member in queues}
    free_in = [seconds for seconds in slots if seconds is not None]
    heapq.heapify(free_in)
    turns: dict[int, Turn] = {}
    while queues:
        member = min(
            queues, key=lambda m: (-queues[m][-1].priority, used[m], queues[m][-1].queued_at, queues[m][-1].job_id)
        )
        job = queues[member].pop()
        if not queues[member]:
            del queues[member]
        used[member] += job.expected_s or 0.0
        starts_in = heapq.heappop(free_in) if free_in else None
        turns[job.job_id] = Turn(len(turns) + 1, starts_in)
        if starts_in is not None and job.expected_s is not None:
            heapq.heappush(free_in, starts_in + job.expected_s)
    return turns
