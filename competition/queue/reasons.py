"""What a job waits for, in words."""

from collections.abc import Mapping

from competition.lifecycle import JobState
from competition.queue.forecast import Turn
from competition.store.engine import Store
from competition.store.queue import attempts, pauses, slots
from competition.store.queue.jobs import Job


def why(store: Store, job: Job, turns: Mapping[int, Turn]) -> list[str]:
    """What the job waits for, or why it has ended; nothing for one that runs or has succeeded."""
    match job.state:
        case JobState.WAITING:
            return ["waits for its experiment's debug job to pass"]
        case JobState.QUEUED:
            return _queued(store, job, turns)
        case JobState.SUSPECT:
            return [
                f"{job.reason}; it is not run again while its processes may be there "
                f"(`comp cancel {job.experiment}` gives it up)"
            ]
        case JobState.FAILED | JobState.CANCELLED:
            tail = attempts.log_tail(store, job.id) if job.state is JobState.FAILED else None
            return [job.reason or job.state.value, *(tail or "").splitlines()]
        case _:
            return []


def _queued(store: Store, job: Job, turns: Mapping[int, Turn]) -> list[str]:
    held = slots.held(store)
    found = [f"{pause}" for pause in pauses.every(store) if pause.subject in ("queue", job.member, job.experiment)]
    if any(slot.job_id == job.id for slot in held):
        found.append("processes of its last attempt are not proven gone yet")
    if job.reason:
        found.append(job.reason)
    turn = turns.get(job.id)
    if turn is not None:
        ahead = turn.place - 1
        found.append("it is next" if not ahead else f"{ahead} {'job is' if ahead == 1 else 'jobs are'} ahead of it")
    if job.memory_mib is not None:
        found.append(f"it needs a device with {job.memory_mib} MiB free (the peak of earlier jobs like it)")
    if not any(slot.is_live for slot in held):
        found.append("no device works now: `comp worker`")
    return found
