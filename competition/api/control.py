"""What people ask of queued and running jobs: pause, resume, bump, cancel and retry. Each has the same shape.

A subject is an experiment or a member by name; for `pause` and `resume` also the whole queue, None.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from competition.errors import CompError, UnknownNameError
from competition.lifecycle import JobState
from competition.store import experiments, members
from competition.store.queue import jobs, pauses
from competition.store.queue.jobs import Job
from competition.store.queue.pauses import Scope

if TYPE_CHECKING:
    from competition.api.opened import Competition

Folds = Collection[int] | None
"""Which folds; None for all jobs, the debug job included."""


@dataclass(frozen=True)
class Changed:
    """The jobs that a request was about, as they were before it; `name` is None for the whole queue."""

    action: str
    name: str | None
    jobs: tuple[Job, ...]

    @property
    def subject(self) -> str:
        """The name, or `the queue`."""
        return self.name or "the queue"

    def to_json(self) -> dict[str, Any]:
        """Plain values, as the commands print them with --json."""
        found = [{"experiment": job.experiment, "job": job.label, "state": job.state.value} for job in self.jobs]
        return {"action": self.action, "name": self.name, "jobs": found}


def pause(opened: "Competition", name: str | None, *, actor: str, now: bool = False) -> Changed:
    """Start no more jobs of a subject, those queued later included.

    Args:
        now: also save and stop those that run; they go on from there after `resume`.
    """
    subject = _Subject.find(opened, name)
    pauses.add(opened.store, subject.scope, subject.id, subject.label, actor=actor, stops=now)
    return Changed("pause", name, subject.jobs(lambda state: state.is_pending or (now and state.is_live)))


def resume(opened: "Competition", name: str | None, *, actor: str) -> Changed:
    """Let the jobs of a paused subject start again.

    Raises:
        CompError: it is not paused.
    """
    subject = _Subject.find(opened, name)
    if not pauses.remove(opened.store, subject.scope, subject.id, subject.label, actor=actor):
        others = "; ".join(str(paused) for paused in pauses.every(opened.store))
        raise CompError(f"{name or 'The queue'} is not paused.", hint=others or "Nothing is paused.")
    return Changed("resume", name, subject.jobs(lambda state: state.is_pending))


def bump(
    opened: "Competition", name: str, *, actor: str, folds: Folds = None, priority: int | None = None
) -> tuple[Changed, int]:
    """Let the waiting jobs of a subject go first; the jobs, and the priority that they have now.

    Args:
        priority: jobs start with 0; None takes one more than any job that waits.

    Raises:
        CompError: no job of it waits.
    """
    changed: list[Job] = []
    for experiment in _experiments(opened, name, folds):
        moved = jobs.bump(opened.store, experiment, folds=folds, priority=priority, actor=actor)
        priority = moved[0].priority if moved else priority
        changed += moved
    if not changed or priority is None:
        raise CompError(f"No job of {name} waits.", hint="`comp queue` shows what runs and waits.")
    return Changed("bump", name, tuple(changed)), priority


def cancel(opened: "Competition", name: str, *, actor: str, folds: Folds = None) -> Changed:
    """Cancel the unfinished jobs of a subject; running ones stop within seconds.

    Raises:
        CompError: it has no unfinished job.
    """
    changed: list[Job] = []
    for experiment in _experiments(opened, name, folds):
        changed += jobs.cancel(opened.store, experiment, folds=folds, actor=actor)
    if not changed:
        raise CompError(f"{name} has no unfinished job.", hint="`comp queue` shows what runs and waits.")
    return Changed("cancel", name, tuple(changed))


def retry(opened: "Competition", name: str, *, actor: str, folds: Folds = None, finished_too: bool = False) -> Changed:
    """Queue the failed and cancelled jobs of a subject again.

    Args:
        finished_too: also folds that succeeded, because their files are damaged.

    Raises:
        CompError: it has no failed or cancelled job.
    """
    changed: list[Job] = []
    for experiment in _experiments(opened, name, folds):
        changed += jobs.retry(opened.store, experiment, folds=folds, actor=actor, finished_too=finished_too)
    if not changed:
        raise CompError(
            f"{name} has no failed or cancelled job.", hint="`comp run EXPERIMENT` adds folds that were not asked for."
        )
    return Changed("retry", name, tuple(changed))


@dataclass(frozen=True)
class _Subject:
    """What a name means; the name of an experiment comes before that of a member."""

    opened: "Competition"
    scope: Scope
    name: str | None
    id: int | None

    @classmethod
    def find(cls, opened: "Competition", name: str | None) -> "_Subject":
        if name is None:
            return cls(opened, Scope.QUEUE, None, None)
        if experiments.exists(opened.store, name):
            return cls(opened, Scope.EXPERIMENT, name, experiments.find(opened.store, name).id)
        team = {member.name: member.id for member in members.everyone(opened.store)}
        if name not in team:
            raise UnknownNameError.among("experiment or member", name, [*experiments.names(opened.store), *team])
        return cls(opened, Scope.MEMBER, name, team[name])

    @property
    def label(self) -> str:
        """What the history calls it."""
        return self.name or self.scope.value

    def jobs(self, wanted: Callable[[JobState], bool]) -> tuple[Job, ...]:
        """Its jobs in the states that are wanted."""
        if self.scope is Scope.EXPERIMENT:
            found = jobs.of_experiment(self.opened.store, self.label)
        else:
            found = jobs.in_states(self.opened.store, [state for state in JobState if wanted(state)])
        return tuple(
            job for job in found if wanted(job.state) and (self.scope is not Scope.MEMBER or job.member == self.name)
        )


def _experiments(opened: "Competition", name: str, folds: Folds) -> list[str]:
    """The experiments that a name means: one, or all of a member."""
    subject = _Subject.find(opened, name)
    if subject.scope is Scope.EXPERIMENT:
        return [name]
    if folds is not None:
        raise CompError(
            f"--folds is about one experiment, and {name} is a member.", hint="Name the experiment: `comp queue`."
        )
    return list(dict.fromkeys(job.experiment for job in subject.jobs(lambda _state: True)))
