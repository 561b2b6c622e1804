"""The worker: takes jobs for its devices, watches the children that run them, and hands in what they say."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from types import FrameType
from typing import Any

from competition.config.settings import Settings
from competition.errors import CompError, StoreBusyError, StoreError
from competition.experiments.scoring import score_and_compare
from competition.files import last_lines
from competition.jobspec import Failed, Interrupted, JobSpec, Succeeded
from competition.lifecycle import FailureKind, JobState
from competition.paths import JobPaths
from competition.queue.children import Child, ForkServer
from competition.queue.devices import Device
from competition.queue.endings import ending_of
from competition.queue.memory_limit import Slot, room_in, slots_of
from competition.queue.processes import this_process
from competition.queue.reaper import reap
from competition.queue.reuse import trained_model
from competition.queue.specs import job_spec
from competition.store import experiments
from competition.store.engine import Store
from competition.store.queue import attempts, jobs, order, pauses, slots
from competition.store.queue.attempts import Claim
from competition.store.queue.jobs import Job

TICK_S = 0.2
HEARTBEAT_S = 1.0
REAP_S = 10.0
MOST_COMPARISONS = 5
"""With parents, between two looks at the children; what is left follows at the next, or at the end."""
STOP_S = 10.0
"""How long a child may take to finish its batch and save when it is asked to stop."""
PATIENCE_S = 600.0
"""How long the database may be locked or its disk full before the worker gives up."""
BAD_JOBS = 3
"""So many different jobs that fail in a row for the machine's sake speak against the machine."""


class BrokenMachineError(CompError):
    """The worker has stopped itself."""


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

    Every step can be done again: what the database could not take is handed in at the next.

    Args:
        experiment: take only this experiment's jobs.
        on_tick: called several times a second, to draw.
        on_complete: called with the name of each experiment whose last fold came in.
        on_failed: called with each job that has failed and is not tried again.
        tell: is told what a person should know.
    """

    store: Store
    settings: Settings
    devices: list[Device]
    fork_server: ForkServer
    experiment: str | None = None
    on_tick: Callable[[], None] = lambda: None
    on_complete: Callable[[str], None] = lambda _name: None
    on_failed: Callable[[Job], None] = lambda _job: None
    jobs_per_device: int = 1
    tell: Callable[[str], None] = lambda text: None
    _running: dict[str, Child] = field(default_factory=dict)
    _taken: dict[Slot, str] = field(default_factory=dict)
    _bad: dict[str | JobPaths, str] = field(default_factory=dict)
    _last_heartbeat: float = 0.0
    _last_reap: float = float("-inf")
    _completion_due: bool = False
    _told: set[str] = field(default_factory=set)
    _busy_since: float | None = None

    def work(self, *, until_empty: bool) -> bool:
        """Run jobs until somebody asks to stop, or until there is nothing left to do.

        Returns:
            True if the work is done, False if it was interrupted; interrupted jobs are queued again and resume.

        Raises:
            StoreError: the database is gone or damaged, or could not be written to for too long.
            BrokenMachineError: several jobs in a row have failed for the machine's sake.
            CompError: the one experiment whose jobs it was to run is done, and its files are too damaged to score it.
        """
        with _stop_on_signals() as stop:
            try:
                while not stop.asked:
                    with self._patience():
                        self._tick()
                        if until_empty and not self._running and self._nothing_left():
                            self._finish()
                            return True
            finally:
                self._wind_down(stop)
        return False

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._last_reap > REAP_S:
            self._last_reap = now
            reap(self.store)
            self._completion_due = True
        for slot in slots_of(self.devices, self.jobs_per_device):
            if slot not in self._taken:
                self._fill(slot)
        if self._completion_due:  # only now: it takes seconds, in which no device shall wait
            self._complete()
            self._completion_due = False
        self._listen(TICK_S)
        if now - self._last_heartbeat > HEARTBEAT_S:
            self._last_heartbeat = now
            self._beat()
        self.on_tick()

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """A locked database or a full disk holds the worker up; it ends no job."""
        try:
            yield
        except StoreBusyError as error:
            now = time.monotonic()
            if self._busy_since is None:
                self._busy_since = now
                self.tell(f"{error.message} Jobs go on; trying again.")
            if now - self._busy_since > PATIENCE_S:
                raise
            time.sleep(TICK_S)
        else:
            self._busy_since = None

    def _fill(self, slot: Slot) -> None:
        room = room_in(slot, is_shared=any(taken.device == slot.device for taken in self._taken))
        claim = attempts.claim(
            self.store,
            this_process(),
            device=slot.device.name,
            slot=slot.number,
            experiment=self.experiment,
            free_mib=room.free_mib,
            known_memory_only=room.known_only,
        )
        if claim is None:
            return
        try:
            child = self.fork_server.start(self._spec(claim, slot.device))
        except (OSError, EOFError) as error:  # EOFError: the fork server died while it was asked
            reason = f"no process could be started for it: {error or type(error).__name__}"
            attempts.fail(self.store, claim.token, kind=FailureKind.LOST, reason=reason)
            self._blame(claim.token, reason)
            return
        self._running[claim.token] = child
        self._taken[slot] = claim.token
        self._let_go(claim.token, child)

    def _let_go(self, token: str, child: Child) -> None:
        if attempts.child_started(self.store, token, child.identity):
            child.let_go()
        else:
            self._drop(token, child)

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
        ears: list[Any] = [c.connection for c in self._running.values() if not c.connection.closed]
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
        """Say how an attempt ended, once its processes are gone; the child is kept until the database has it."""
        child.process.join(STOP_S if child.outcome else 0.0)
        if not child.end():
            return
        outcome = ending_of(child)
        match outcome:
            case Succeeded():
                counts = attempts.succeed(self.store, outcome)
            case Failed():
                tail = last_lines(child.spec.job_paths.log)
                counts = attempts.fail(self.store, token, kind=outcome.kind, reason=outcome.reason, log_tail=tail)
            case Interrupted():
                counts = attempts.release(self.store, token, why="interrupted")
        if not counts:
            slots.free(self.store, token)
        self._forget(token)
        if counts and isinstance(outcome, Succeeded):
            self._bad.clear()
            self._completion_due = True
        elif counts and isinstance(outcome, Failed):
            self._tell_of_failure(child.spec)
            if outcome.kind.blames_machine:
                self._blame(child.spec.job_paths, outcome.reason)

    def _tell_of_failure(self, spec: JobSpec) -> None:
        """Unless the job is tried again."""
        for job in jobs.of_experiment(self.store, spec.experiment):
            if (job.kind, job.fold, job.repeat, job.state) == (spec.kind, spec.fold, spec.repeat, JobState.FAILED):
                self.on_failed(job)

    def _blame(self, culprit: str | JobPaths, reason: str) -> None:
        """Count a failure against the machine; too many in a row stop the worker.

        A job (told by its files) counts once, however often it fails; every process that cannot be started counts.
        """
        self._bad[culprit] = reason
        if len(self._bad) >= BAD_JOBS:
            raise BrokenMachineError(
                f"This worker has stopped itself: {len(self._bad)} different jobs failed in a row, and the machine may "
                f"be to blame. The last: {reason}.",
                hint="`comp doctor` looks at the machine; `comp events` shows what failed; then `comp worker` again.",
            )

    def _beat(self) -> None:
        for token, child in list(self._running.items()):
            if not child.is_let_go:
                self._let_go(token, child)
            elif not attempts.heartbeat(self.store, token, child.progress):
                self._drop(token, child)
        for token in pauses.to_stop(self.store, self._running):
            self._running[token].ask_to_stop()

    def _drop(self, token: str, child: Child) -> None:
        """End a child whose token counts no more; what it has finished all the same is kept."""
        if child.end():
            outcome = ending_of(child)
            if isinstance(outcome, Succeeded):
                attempts.succeed(self.store, outcome)
            slots.free(self.store, token)
            self._forget(token)

    def _forget(self, token: str) -> None:
        del self._running[token]
        self._taken = {slot: held for slot, held in self._taken.items() if held != token}

    def _complete(self, *, most: int | None = MOST_COMPARISONS) -> dict[str, CompError]:
        """Score and compare what is due; why the others cannot be scored, by name."""
        scored: list[str] = []
        unscorable: dict[str, CompError] = {}
        try:
            score_and_compare(
                self.store,
                self.settings,
                most=most,
                on_scored=scored.append,
                on_unscorable=unscorable.__setitem__,
            )
        finally:
            for name in scored:
                self.on_complete(name)
        self._tell_new({str(trouble) for name, trouble in unscorable.items() if name != self.experiment})
        return unscorable

    def _tell_new(self, troubles: set[str]) -> None:
        """Tell of each when it begins: scores are due again and again while it lasts."""
        for trouble in sorted(troubles - self._told):
            self.tell(trouble)
        self._told = troubles

    def _finish(self) -> None:
        """Score and compare what is left; raises if that fails for the experiment that the worker is for."""
        trouble = self._complete(most=None).get(self.experiment or "")
        if trouble is not None:
            raise trouble

    def _nothing_left(self) -> bool:
        if order.anything_to_start(self.store, experiment=self.experiment):
            return False
        return self.experiment is None or not jobs.is_any_live(self.store, self.experiment)

    def _wind_down(self, stop: Stop) -> None:
        """Ask the children to save and end; kill those that do not, and queue their jobs again.

        Without a database they save all the same; the next `comp` command finds what they left.
        """
        for child in self._running.values():
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_S
        while self._anybody_works() and time.monotonic() < deadline and stop.asked < 2:
            with suppress(StoreError, BrokenMachineError):
                self._listen(TICK_S)
                self.on_tick()
        for token, child in list(self._running.items()):
            child.end()
            ending = ending_of(child)
            child.outcome = ending if isinstance(ending, Succeeded) else child.outcome or Interrupted(token)
            with suppress(StoreError, BrokenMachineError):
                self._hand_in(token, child)
            self._running.pop(token, None)
        if self._completion_due and stop.asked < 2:
            with suppress(CompError, OSError):  # the next worker does it; what went wrong before is what counts
                self._complete()

    def _anybody_works(self) -> bool:
        return any(child.process.is_alive() for child in self._running.values())


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
