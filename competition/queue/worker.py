"""The worker: takes jobs for its devices, watches the children that run them, and hands in what they say."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from types import FrameType
from typing import Any

from competition.jobspec import Failed, Interrupted, JobSpec, Succeeded
from competition.lifecycle import FailureKind, JobState
from competition.queue.children import Child, Nursery
from competition.queue.completion import complete
from competition.queue.devices import Device
from competition.queue.processes import this_process
from competition.queue.reaper import finished_result, reap
from competition.queue.reuse import trained_model
from competition.queue.specs import job_spec
from competition.settings import Settings
from competition.store import attempts, experiments, jobs, splits
from competition.store.attempts import Claim
from competition.store.engine import Store

TICK_S = 0.2
HEARTBEAT_S = 1.0
REAP_S = 10.0
MOST_COMPARISONS = 5
"""With parents, between two looks at the children; what is left follows at the next, or at the end."""
STOP_S = 10.0
"""How long a child may take to finish its batch and save when it is asked to stop."""


@dataclass
class Stop:
    """Whether somebody asked the worker to stop; asking twice means at once."""

    asked: int = 0

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        """The signal handler."""
        self.asked += 1


@dataclass
class Worker:
    """Runs the jobs of the queue, or of one experiment, on some devices.

    Args:
        experiment: take only this experiment's jobs.
        on_tick: called several times a second, to draw.
        on_complete: called with the name of each experiment whose last fold came in.
    """

    store: Store
    settings: Settings
    devices: list[Device]
    nursery: Nursery
    experiment: str | None = None
    on_tick: Callable[[], None] = lambda: None
    on_complete: Callable[[str], None] = lambda _name: None
    _running: dict[str, Child] = field(default_factory=dict)
    _busy: dict[str, str] = field(default_factory=dict)
    _last_heartbeat: float = 0.0
    _last_reap: float = 0.0

    def work(self, *, until_empty: bool) -> bool:
        """Run jobs until somebody asks to stop, or until there is nothing left to do.

        Returns:
            True if the work is done, False if it was interrupted; interrupted jobs are queued again and resume.
        """
        with _stop_on_signals() as stop:
            try:
                while not stop.asked:
                    self._tick()
                    if until_empty and not self._running and self._nothing_left():
                        self._complete(most=None)
                        return True
            finally:
                self._wind_down(stop)
        return False

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._last_reap > REAP_S:
            self._last_reap = now
            reap(self.store)
            self._complete()
        for device in self.devices:
            if device.name not in self._busy:
                self._fill(device)
        self._listen(TICK_S)
        if now - self._last_heartbeat > HEARTBEAT_S:
            self._last_heartbeat = now
            self._beat()
        self.on_tick()

    def _fill(self, device: Device) -> None:
        claim = attempts.claim(self.store, this_process(), device=device.name, slot=0, experiment=self.experiment)
        if claim is None:
            return
        child = self.nursery.start(self._spec(claim, device))
        attempts.child_started(self.store, claim.token, child.identity)
        self._running[claim.token] = child
        self._busy[device.name] = claim.token

    def _spec(self, claim: Claim, device: Device) -> JobSpec:
        experiment = experiments.find(self.store, claim.experiment)
        return job_spec(
            self.store,
            self.settings,
            experiment,
            kind=claim.kind,
            fold=claim.fold,
            repeat=claim.repeat,
            token=claim.token,
            device=device,
            trained=trained_model(self.store, experiment, claim),
        )

    def _listen(self, timeout_s: float) -> None:
        """Wait for the children to say something or to end, and hand in those that ended."""
        ears: list[Any] = [c.connection for c in self._running.values()]
        ears += [c.process.sentinel for c in self._running.values()]
        if ears:
            wait(ears, timeout_s)
        else:
            time.sleep(timeout_s)
        for token, child in list(self._running.items()):
            child.listen()
            if child.outcome is not None or not child.process.is_alive():
                self._hand_in(token, child)

    def _hand_in(self, token: str, child: Child) -> None:
        child.listen()
        outcome = child.outcome or finished_result(child.spec.job_paths, token) or _died(child)
        child.process.join(STOP_S)
        child.end()
        match outcome:
            case Succeeded():
                attempts.succeed(self.store, outcome)
                self._complete()
            case Failed():
                attempts.fail(self.store, token, kind=outcome.kind, reason=outcome.reason)
            case Interrupted():
                attempts.release(self.store, token, why="interrupted")
        self._forget(token)

    def _beat(self) -> None:
        for token, child in list(self._running.items()):
            if not attempts.heartbeat(self.store, token, child.progress):
                child.end()
                self._forget(token)

    def _forget(self, token: str) -> None:
        del self._running[token]
        self._busy = {device: held for device, held in self._busy.items() if held != token}

    def _complete(self, *, most: int | None = MOST_COMPARISONS) -> None:
        by_version = {split.version: split for split in splits.every(self.store)}
        for name in complete(self.store, self.settings, by_version, most=most):
            self.on_complete(name)

    def _nothing_left(self) -> bool:
        unfinished = [s for s in JobState if not s.is_finished]
        left = jobs.in_states(self.store, unfinished)
        if self.experiment is not None:
            return not any(j.experiment == self.experiment for j in left)
        return not any(j.state is JobState.QUEUED for j in left)

    def _wind_down(self, stop: Stop) -> None:
        """Ask the children to save and end; kill those that do not, and queue their jobs again."""
        for child in self._running.values():
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_S
        while self._running and time.monotonic() < deadline and stop.asked < 2:
            self._listen(TICK_S)
            self.on_tick()
        for token, child in list(self._running.items()):
            child.end()
            attempts.release(self.store, token, why="interrupted before it could save")
            self._forget(token)


def _died(child: Child) -> Failed:
    """What to say of a child that ended without a word."""
    code = child.process.exitcode
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        memory = name == "SIGKILL"
        kind = FailureKind.MEMORY if memory else FailureKind.CRASH
        reason = f"its process was ended by {name}{', most likely for lack of memory' if memory else ''}"
    else:
        kind, reason = FailureKind.CRASH, f"its process ended with exit code {code} and no result"
    return Failed(child.spec.token, kind, reason)


@contextmanager
def _stop_on_signals() -> Iterator[Stop]:
    """Turn Ctrl-C and SIGTERM into a request that the loop sees between two steps."""
    stop = Stop()
    before = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
