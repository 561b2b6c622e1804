"""The worker: takes jobs from the queue for its devices, and scores experiments when their last fold is in."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType

from competition.config.settings import Settings
from competition.errors import CompError, StoreBusyError, StoreError
from competition.experiments.scoring import score_and_compare
from competition.jobspec import Failed, JobSpec, Succeeded
from competition.lifecycle import FailureKind, JobState
from competition.paths import JobPaths
from competition.queue.children import ForkServer
from competition.queue.devices import Device, Slot, memory_limit, slots_of
from competition.queue.job_specs import claimed_spec
from competition.queue.processes import this_process
from competition.queue.reaper import reap
from competition.queue.running_jobs import Outcome, RunningJobs
from competition.store.engine import Store
from competition.store.queue import attempts, jobs, order
from competition.store.queue.jobs import Job

TICK_S = 0.2
HEARTBEAT_S = 1.0
REAP_S = 10.0
MOST_COMPARISONS = 5
"""Comparisons with parents between two looks at the children; the rest follows at the next, or at the end."""
STOP_S = 10.0
"""How long a child may take to finish its batch and save when it is asked to stop."""
PATIENCE_S = 600.0
"""How long the database may be locked, or its disk full, before the worker gives up."""
BAD_JOBS = 3
"""A worker stops itself after this many different jobs in a row failed for reasons that lie with the machine."""


class BrokenMachineError(CompError):
    """The worker has stopped itself."""


@dataclass
class Stop:
    """Counts requests to stop; the second means at once."""

    asked: int = 0

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        """The signal handler."""
        self.asked += 1


@dataclass
class Worker:
    """Runs the jobs of the queue, or of one experiment, on some devices.

    Every step can be repeated: what the database could not take is reported again at the next.

    Args:
        experiment: take only this experiment's jobs.
        on_tick: called several times a second, to draw.
        on_complete: called with the name of each experiment that has got its score.
        on_failed: called with each job that has failed and is not tried again.
        tell: called with text that a person should read.
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
    _running: RunningJobs = field(init=False)
    _bad_jobs: dict[str | JobPaths, str] = field(default_factory=dict)
    _last_heartbeat: float = 0.0
    _last_reap: float = float("-inf")
    _is_scoring_due: bool = False
    _known_troubles: set[str] = field(default_factory=set)
    _busy_since: float | None = None

    def __post_init__(self) -> None:
        self._running = RunningJobs(self.store, stop_s=STOP_S)

    def work(self, *, until_empty: bool) -> bool:
        """Run jobs until somebody asks to stop, or until there is nothing left to do.

        Returns:
            True if the work is done, False if it was interrupted; interrupted jobs are queued again and resume.

        Raises:
            StoreError: the database is gone or damaged, or could not be written to for too long.
            BrokenMachineError: several jobs in a row have failed for reasons that lie with the machine.
            CompError: the worker is for one experiment, all its jobs are done, and its files are too damaged to score.
        """
        with _stop_on_signals() as stop:
            try:
                while not stop.asked:
                    with self._patience():
                        self._tick()
                        if until_empty and not self._running and self._is_nothing_left():
                            self._score_the_rest()
                            return True
            finally:
                self._wind_down(stop)
        return False

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """Wait while the database is locked or its disk full; jobs go on meanwhile."""
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

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._last_reap > REAP_S:
            self._last_reap = now
            reap(self.store)
            self._is_scoring_due = True
        for slot in slots_of(self.devices, self.jobs_per_device):
            if self._running.is_free(slot):
                self._start_job(slot)
        if self._is_scoring_due:  # only after the slots are filled: it takes seconds, in which no device shall wait
            self._score()
            self._is_scoring_due = False
        self._take_outcomes(TICK_S)
        if now - self._last_heartbeat > HEARTBEAT_S:
            self._last_heartbeat = now
            self._running.beat()
        self.on_tick()

    def _start_job(self, slot: Slot) -> None:
        limit = memory_limit(slot, is_shared=self._running.shares(slot.device))
        claim = attempts.claim(
            self.store,
            this_process(),
            device=slot.device.name,
            slot=slot.number,
            experiment=self.experiment,
            free_mib=limit.free_mib,
            known_memory_only=limit.known_only,
        )
        if claim is None:
            return
        try:
            child = self.fork_server.start(claimed_spec(self.store, self.settings, claim, slot.device))
        except (OSError, EOFError) as error:  # EOFError: the fork server died while it was asked
            reason = f"no process could be started for it: {error or type(error).__name__}"
            attempts.fail(self.store, claim.token, kind=FailureKind.LOST, reason=reason)
            self._blame_machine(claim.token, reason)
            return
        self._running.add(slot, child)

    def _take_outcomes(self, timeout_s: float) -> None:
        """Wait for the children to report or to end, and act on the outcomes."""
        for spec, outcome in self._running.ended(timeout_s):
            self._act_on(spec, outcome)

    def _act_on(self, spec: JobSpec, outcome: Outcome) -> None:
        match outcome:
            case Succeeded():
                self._bad_jobs.clear()
                self._is_scoring_due = True
            case Failed():
                for job in jobs.of_experiment(self.store, spec.experiment):
                    key = (job.kind, job.fold, job.repeat, job.state)
                    if key == (spec.kind, spec.fold, spec.repeat, JobState.FAILED):  # it is not tried again
                        self.on_failed(job)
                if outcome.kind.blames_machine:
                    self._blame_machine(spec.job_paths, outcome.reason)

    def _blame_machine(self, culprit: str | JobPaths, reason: str) -> None:
        """Count a failure against the machine; too many in a row stop the worker.

        Args:
            culprit: a job, by its files, which counts once however often it fails; or the token of an attempt whose
                process could not be started, each of which counts.
        """
        self._bad_jobs[culprit] = reason
        if len(self._bad_jobs) >= BAD_JOBS:
            raise BrokenMachineError(
                f"This worker has stopped itself: {len(self._bad_jobs)} different jobs failed in a row, and the "
                f"machine may be to blame. The last: {reason}.",
                hint="`comp doctor` looks at the machine; `comp events` shows what failed; then `comp worker` again.",
            )

    def _score(self, *, most: int | None = MOST_COMPARISONS) -> dict[str, CompError]:
        """Score and compare the experiments that are due; the errors of those that cannot be scored, by name."""
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
        # Told once each, while they last: scores are due again every few seconds.
        troubles = {str(error) for name, error in unscorable.items() if name != self.experiment}
        for trouble in sorted(troubles - self._known_troubles):
            self.tell(trouble)
        self._known_troubles = troubles
        return unscorable

    def _score_the_rest(self) -> None:
        """Score and compare what is left; raises if that fails for the experiment that the worker is for."""
        trouble = self._score(most=None).get(self.experiment or "")
        if trouble is not None:
            raise trouble

    def _is_nothing_left(self) -> bool:
        if order.anything_to_start(self.store, experiment=self.experiment):
            return False
        return self.experiment is None or not jobs.is_any_live(self.store, self.experiment)

    def _wind_down(self, stop: Stop) -> None:
        """Ask the children to save and end; kill those that do not, and queue their jobs again.

        Without a database they save nevertheless; the next `comp` command finds what they left.
        """
        self._running.ask_to_stop()
        deadline = time.monotonic() + STOP_S
        while self._running.is_any_alive and time.monotonic() < deadline and stop.asked < 2:
            with suppress(StoreError, BrokenMachineError):
                self._take_outcomes(TICK_S)
                self.on_tick()
        while self._running:
            with suppress(StoreError, BrokenMachineError):
                for spec, outcome in self._running.kill():
                    self._act_on(spec, outcome)
        if self._is_scoring_due and stop.asked < 2:
            with suppress(CompError, OSError):  # the next worker does it; the error that ended this one counts
                self._score()


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
