"""The jobs that a worker runs now: their children, their slots, and the reports to the database about how they end."""

import time
from collections.abc import Iterator
from multiprocessing.connection import wait
from typing import Any

from competition.files import last_lines
from competition.jobspec import Failed, Interrupted, JobSpec, Succeeded
from competition.queue.children import Child, ending_of
from competition.queue.devices import Device, Slot
from competition.store.engine import Store
from competition.store.queue import attempts, pauses, slots

Outcome = Succeeded | Failed | Interrupted


class RunningJobs:
    """The children of a worker, each known by its attempt's token.

    A child is kept until the database has its outcome, so every method may be called again after a StoreError.
    """

    def __init__(self, store: Store, *, stop_s: float) -> None:
        """Begin without jobs.

        Args:
            stop_s: how long a child that has reported its outcome may take to end.
        """
        self._store, self._stop_s = store, stop_s
        self._children: dict[str, Child] = {}
        self._slots: dict[Slot, str] = {}

    def __len__(self) -> int:
        return len(self._children)

    def is_free(self, slot: Slot) -> bool:
        """Whether no job has the slot."""
        return slot not in self._slots

    def shares(self, device: Device) -> bool:
        """Whether a job runs on the device."""
        return any(slot.device == device for slot in self._slots)

    @property
    def is_any_alive(self) -> bool:
        """Whether a child still runs."""
        return any(child.process.is_alive() for child in self._children.values())

    def add(self, slot: Slot, child: Child) -> None:
        """Take in a new child, and let it begin once the database knows its process."""
        self._children[child.spec.token] = child
        self._slots[slot] = child.spec.token
        self._begin(child)

    def ended(self, timeout_s: float) -> Iterator[tuple[JobSpec, Outcome]]:
        """Wait until a child reports or ends; each job that has ended, if its outcome counts.

        The outcome is in the database before it is yielded.
        """
        children = self._children.values()
        sources: list[Any] = [child.connection for child in children if not child.connection.closed]
        sources += [child.process.sentinel for child in children]
        if sources:
            wait(sources, timeout_s)
        else:
            time.sleep(timeout_s)
        for child in list(children):
            child.listen()
            if (child.outcome is not None or not child.process.is_alive()) and (outcome := self._report(child)):
                yield child.spec, outcome

    def beat(self) -> None:
        """Send every child's heartbeat and progress; end those whose attempts were given up, stop those on hold."""
        for child in list(self._children.values()):
            if not child.has_begun:
                self._begin(child)  # the database was busy when it started
            elif not attempts.heartbeat(self._store, child.spec.token, child.progress):
                self._drop(child)
        for token in pauses.to_stop(self._store, self._children):
            self._children[token].ask_to_stop()

    def ask_to_stop(self) -> None:
        """Ask every child to finish its batch, save and end."""
        for child in self._children.values():
            child.ask_to_stop()

    def kill(self) -> Iterator[tuple[JobSpec, Outcome]]:
        """Kill the children that are left; each job whose outcome counts, "interrupted" if it had no other.

        A StoreError about one child ends this; call it again for the others.
        """
        while self._children:
            token, child = next(iter(self._children.items()))
            child.end()
            ending = ending_of(child)
            child.outcome = ending if isinstance(ending, Succeeded) else child.outcome or Interrupted(token)
            try:
                outcome = self._report(child)
            finally:
                self._children.pop(token, None)  # even if it could not be reported: the reaper finds it later
            if outcome:
                yield child.spec, outcome

    def _begin(self, child: Child) -> None:
        if attempts.child_started(self._store, child.spec.token, child.identity):
            child.begin()
        else:
            self._drop(child)

    def _report(self, child: Child) -> Outcome | None:
        """Write to the database how an attempt ended, once its processes are gone; None if that does not count."""
        token = child.spec.token
        child.process.join(self._stop_s if child.outcome else 0.0)
        if not child.end():
            return None
        outcome = ending_of(child)
        match outcome:
            case Succeeded():
                counts = attempts.succeed(self._store, outcome)
            case Failed():
                tail = last_lines(child.spec.job_paths.log)
                counts = attempts.fail(self._store, token, kind=outcome.kind, reason=outcome.reason, log_tail=tail)
            case Interrupted():
                counts = attempts.release(self._store, token, why="interrupted")
        if not counts:  # the attempt was given up meanwhile, and its slot waited for its processes to end
            slots.free(self._store, token)
        self._forget(token)
        return outcome if counts else None

    def _drop(self, child: Child) -> None:
        """End a child whose attempt was given up; a result that it has finished is kept."""
        if child.end():
            outcome = ending_of(child)
            if isinstance(outcome, Succeeded):
                attempts.succeed(self._store, outcome)
            slots.free(self._store, child.spec.token)
            self._forget(child.spec.token)

    def _forget(self, token: str) -> None:
        del self._children[token]
        self._slots = {slot: held for slot, held in self._slots.items() if held != token}
