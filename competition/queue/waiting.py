"""When a queued job will start, and why a job does not run."""

import heapq
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from competition.lifecycle import JobState
from competition.store.engine import Store
from competition.store.queue import attempts, pauses, slots
from competition.store.queue.jobs import Job
from competition.store.queue.order import Waiting


class Turn(NamedTuple):
    """A queued job's place in the order (from 1), and the seconds until it starts; None if they cannot be estimated.

    A tuple, because there may be thousands.
    """

    place: int
    starts_in_s: float | None


def forecast(
    waiting: Iterable[Waiting], usage: Mapping[int, float], free_in: Iterable[float | None]
) -> dict[int, Turn]:
    """Play the order of `store.queue.order` forward: the turn of every queued job that is not paused, by its id.

    When a job starts, its expected time is added to its member's use at once: the queue counts running jobs too when it
    decides the next turn.

    Args:
        usage: device seconds of every member, by id.
        free_in: for each slot that works, the seconds until it is free; None if they are not known.
    """
    queues: dict[int, list[Waiting]] = {}
    for job in sorted(waiting, key=lambda job: (-job.priority, job.queued_at, job.job_id), reverse=True):
        if not job.paused:
            queues.setdefault(job.member_id, []).append(job)
    used = {member: usage.get(member, 0.0) for member in queues}
    known = [seconds for seconds in free_in if seconds is not None]
    heapq.heapify(known)
    turns: dict[int, Turn] = {}
    while queues:
        member = min(
            queues, key=lambda m: (-queues[m][-1].priority, used[m], queues[m][-1].queued_at, queues[m][-1].job_id)
        )
        job = queues[member].pop()
        if not queues[member]:
            del queues[member]
        used[member] += job.expected_s or 0.0
        starts_in = heapq.heappop(known) if known else None
        turns[job.job_id] = Turn(len(turns) + 1, starts_in)
        if starts_in is not None and job.expected_s is not None:
            heapq.heappush(known, starts_in + job.expected_s)
    return turns


def why(store: Store, job: Job, turns: Mapping[int, Turn]) -> list[str]:
    """The reasons why a job waits or has ended, a line each; none if it runs or has succeeded."""
    match job.state:
        case JobState.WAITING:
            return ["waits for its experiment's debug job to pass"]
        case JobState.QUEUED:
            return _queued(store, job, turns)
        case JobState.SUSPECT:
            return [
                f"{job.reason}; it is not run again while its processes may still be running "
                f"(`comp cancel {job.experiment}` gives it up)"
            ]
        case JobState.FAILED | JobState.CANCELLED:
            tail = attempts.log_tail(store, job.id) if job.state is JobState.FAILED else None
            return [job.reason or job.state.value, *(tail or "").splitlines()]
        case _:
            return []


def _queued(store: Store, job: Job, turns: Mapping[int, Turn]) -> list[str]:
    held = slots.held(store)
    reasons = [f"{pause}" for pause in pauses.every(store) if pause.subject in ("queue", job.member, job.experiment)]
    if any(slot.job_id == job.id for slot in held):
        reasons.append("processes of its last attempt may still be running")
    if job.reason:
        reasons.append(job.reason)
    turn = turns.get(job.id)
    if turn is not None:
        ahead = turn.place - 1
        reasons.append("it is next" if not ahead else f"{ahead} {'job is' if ahead == 1 else 'jobs are'} ahead of it")
    if job.memory_mib is not None:
        reasons.append(f"it needs a device with {job.memory_mib} MiB free (the peak of earlier jobs like it)")
    if not any(slot.is_live for slot in held):
        reasons.append("no worker runs: start one with `comp worker`")
    return reasons
