"""The queue of an opened competition: its jobs in order, when they will start, and what they wait for."""

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from competition.lifecycle import JobState
from competition.queue.waiting import Turn, forecast, why
from competition.store.queue import jobs, order, pauses
from competition.store.queue.jobs import Job
from competition.store.queue.pauses import Pause

if TYPE_CHECKING:
    from competition.api.opened import Competition

_ORDER = [
    JobState.RUNNING,
    JobState.SUSPECT,
    JobState.QUEUED,
    JobState.LOST,
    JobState.WAITING,
    JobState.FAILED,
    JobState.CANCELLED,
    JobState.SUCCEEDED,
]


@dataclass(frozen=True)
class QueueView:
    """Jobs in the order in which they run: running ones first.

    Args:
        jobs: those that were asked for.
        turns: of every queued job that no pause holds, by job id.
        total: how many jobs there are in all.
        pauses: all that are in force.
    """

    jobs: tuple[Job, ...]
    turns: dict[int, Turn]
    total: int
    pauses: tuple[Pause, ...]

    def to_json(self) -> list[dict[str, Any]]:
        """Plain values, as `comp queue --json` prints them."""
        return [{**asdict(job), **self._turn(job)} for job in self.jobs]

    def _turn(self, job: Job) -> dict[str, object]:
        turn = self.turns.get(job.id)
        return {"turn": turn.place if turn else None, "starts_in_s": turn.starts_in_s if turn else None}


def view(opened: "Competition", name: str | None = None, *, most: int | None = None) -> QueueView:
    """The queue: everything that runs or waits, or all jobs of one experiment.

    Args:
        most: no more jobs than these, those that run included; an experiment is shown whole.

    Raises:
        UnknownNameError: there is no such experiment.
    """
    unfinished = [state for state in JobState if not state.is_finished]
    running = _running(opened)
    turns = _turns(opened, running)
    if name is not None:
        found = jobs.of_experiment(opened.store, opened.experiment(name).name)
    elif most is None:
        found = jobs.in_states(opened.store, unfinished)
    else:
        found = running + _next(opened, turns, most=max(0, most - len(running)))
    total = len(found) if name is not None else jobs.count(opened.store, unfinished)
    return QueueView(_in_order(found, turns), turns, total, tuple(pauses.every(opened.store)))


def next_jobs(opened: "Competition", *, most: int) -> QueueView:
    """The next jobs to start; `total` counts all that wait."""
    turns = _turns(opened, _running(opened))
    total = jobs.count(opened.store, [state for state in JobState if state.is_pending])
    return QueueView(_in_order(_next(opened, turns, most=most), turns), turns, total, ())


def reasons(opened: "Competition", view: QueueView) -> dict[str, list[str]]:
    """By the label of each job, what it waits for, or why it ended."""
    return {job.label: why(opened.store, job, view.turns) for job in view.jobs}


def _running(opened: "Competition") -> list[Job]:
    return jobs.in_states(opened.store, [state for state in JobState if state.is_live])


def _turns(opened: "Competition", running: list[Job]) -> dict[int, Turn]:
    slots = [(job.progress or {}).get("eta_s") for job in running]
    return forecast(order.waiting(opened.store), order.usage(opened.store), slots)


def _next(opened: "Competition", turns: dict[int, Turn], *, most: int) -> list[Job]:
    """The next jobs, in order as far as they have turns; then what is paused or waits for a debug job."""
    first = sorted(turns, key=lambda job_id: turns[job_id].place)[:most]
    others = jobs.in_states(opened.store, [JobState.WAITING, JobState.LOST], most=most - len(first))
    paused = [job for job in jobs.in_states(opened.store, [JobState.QUEUED], most=most) if job.id not in turns]
    return [*jobs.by_id(opened.store, first), *[*paused, *others][: most - len(first)]]


def _in_order(found: list[Job], turns: dict[int, Turn]) -> tuple[Job, ...]:
    def place(job: Job) -> float:
        turn = turns.get(job.id)
        return math.inf if turn is None else turn.place

    return tuple(sorted(found, key=lambda job: (_ORDER.index(job.state), place(job))))
