"""The queue against a model of it: whatever people, workers and reapers do, and in whatever order."""

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from competition.lifecycle import MOST_ATTEMPTS, FailureKind, JobKind, JobState
from competition.paths import Paths
from competition.store import members
from competition.store.engine import Store, open_store
from competition.store.queue import attempts, jobs, pauses, slots
from competition.store.queue.pauses import Scope
from tests.conftest import submitted
from tests.store.making import MEMBERS, WORKER, check_invariants, config, make_store, result

S = JobState
SLOTS = st.integers(0, 1)
WHICH = st.integers(0, 6)
MACHINE = [FailureKind.CRASH] * 6
EXPERIMENTS = st.integers(0, 2)


@dataclass
class ModelJob:
    """A job as it should be."""

    experiment: str
    member: str
    label: str
    state: JobState
    failures: int = 0
    priority: int = 0


@dataclass
class ModelAttempt:
    """An attempt as it should be."""

    job: int
    slot: int
    live: bool = True
    held: bool = True
    delivered: bool = False


@dataclass
class Model:
    """The queue in a few plain values."""

    jobs: dict[int, ModelJob] = field(default_factory=dict)
    attempts: dict[str, ModelAttempt] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)

    def end(self, token: str, state: JobState, *, held: bool = False) -> None:
        attempt = self.attempts[token]
        attempt.live, attempt.held = False, held
        self.jobs[attempt.job].state = state

    def folds_of(self, job: int, seen: JobState, new: JobState) -> None:
        for other in self.jobs.values():
            if other.experiment == self.jobs[job].experiment and other.state is seen:
                other.state = new

    def startable(self) -> dict[int, ModelJob]:
        held = {a.job for a in self.attempts.values() if a.held}
        return {
            n: job
            for n, job in self.jobs.items()
            if job.state is S.QUEUED and n not in held and not self.paused & {"queue", job.member, job.experiment}
        }


class Queue(RuleBasedStateMachine):
    """Calls the store and the model alike, and compares."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copytree(self.template, self.folder, dirs_exist_ok=True)
        self.store: Store = open_store(Paths(self.folder))
        self.model = Model()
        self.ids = {m.name: m.id for m in members.everyone(self.store)}

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @initialize()
    def start(self) -> None:
        self.submit(0, 0)

    @rule(number=EXPERIMENTS, folds=st.integers(0, 2))
    def submit(self, number: int, folds: int) -> None:
        member = MEMBERS[number % 2]
        changes = {"member": member, "member_id": self.ids[member], "name": f"e{number}"}
        submitted(self.store, config(number), folds=tuple(range(folds)), **changes)
        known = {(job.experiment, job.label): job for job in self.model.jobs.values()}
        debug = known.get((f"e{number}", "debug"))
        ready = S.QUEUED if debug is not None and debug.state is S.SUCCEEDED else S.WAITING
        for job in jobs.of_experiment(self.store, f"e{number}"):
            if (job.experiment, job.label) not in known:
                state = S.QUEUED if job.kind is JobKind.DEBUG else ready
                self.model.jobs[job.id] = ModelJob(job.experiment, member, job.label, state)

    @rule(slot=SLOTS)
    def claim_and_fail(self, slot: int) -> None:
        """What a broken machine does."""
        before = set(self.model.attempts)
        self.claim(slot)
        for token in set(self.model.attempts) - before:
            self._fail(token, FailureKind.CRASH)

    @rule(number=EXPERIMENTS, slot=SLOTS)
    def cancel_and_retry(self, number: int, slot: int) -> None:
        """What an impatient person does, and a worker that is at hand."""
        self.claim(slot)
        self.cancel(number)
        self.retry(number)
        self.claim(1 - slot)

    @rule(slot=SLOTS)
    def claim(self, slot: int) -> None:
        taken = attempts.claim(self.store, WORKER, device="cpu", slot=slot)
        startable = self.model.startable()
        if any(a.held and a.slot == slot for a in self.model.attempts.values()) or not startable:
            assert taken is None
            return
        assert taken is not None
        job = startable[taken.job_id]
        assert job.priority == max(other.priority for other in startable.values())
        job.state = S.RUNNING
        self.model.attempts[taken.token] = ModelAttempt(taken.job_id, slot)

    def _pick(self, which: int) -> str | None:
        tokens = list(self.model.attempts)
        live = [token for token in tokens if self.model.attempts[token].live]
        some = live if live and which % 3 else tokens[::-1]  # mostly what is alive, else the newest
        return some[which % len(some)] if some else None

    @rule(which=WHICH)
    def heartbeat(self, which: int) -> None:
        token = self._pick(which)
        if token is not None:
            attempt = self.model.attempts[token]
            assert attempts.heartbeat(self.store, token, None) == attempt.live
            if attempt.live:
                self.model.jobs[attempt.job].state = S.RUNNING

    @rule(which=WHICH)
    def suspect(self, which: int) -> None:
        token = self._pick(which)
        if token is not None:
            attempt = self.model.attempts[token]
            job = self.model.jobs[attempt.job]
            expected = attempt.live and job.state is S.RUNNING
            assert attempts.suspect(self.store, token, why="silence") == expected
            if expected:
                job.state = S.SUSPECT

    @rule(which=WHICH)
    def succeed(self, which: int) -> None:
        token = self._pick(which)
        if token is None:
            return
        attempt = self.model.attempts[token]
        job = self.model.jobs[attempt.job]
        newest = [t for t, a in self.model.attempts.items() if a.job == attempt.job][-1]
        counts = attempt.live or (not attempt.delivered and token == newest and job.state is S.QUEUED)
        assert attempts.succeed(self.store, result(token, 0.5)) == (counts and not attempt.delivered)
        if counts:
            job.failures = 0
            self.model.end(token, S.SUCCEEDED)
            if job.label == "debug":
                self.model.folds_of(attempt.job, S.WAITING, S.QUEUED)
        attempt.delivered, attempt.held = True, False

    @rule(which=WHICH, kind=st.sampled_from([*FailureKind, *MACHINE]))
    def fail(self, which: int, kind: FailureKind) -> None:
        token = self._pick(which)
        if token is not None:
            self._fail(token, kind)

    def _fail(self, token: str, kind: FailureKind) -> None:
        attempt = self.model.attempts[token]
        job = self.model.jobs[attempt.job]
        assert attempts.fail(self.store, token, kind=kind, reason="it broke") == attempt.live
        if not attempt.live:
            return
        job.failures += kind is not FailureKind.LOST
        again = kind.blames_machine and job.failures < MOST_ATTEMPTS
        self.model.end(token, S.QUEUED if again else S.FAILED)
        if job.state is S.FAILED and job.label == "debug":
            self.model.folds_of(attempt.job, S.WAITING, S.CANCELLED)

    @rule(which=WHICH)
    def release(self, which: int) -> None:
        token = self._pick(which)
        if token is not None:
            live = self.model.attempts[token].live
            assert attempts.release(self.store, token, why="interrupted") == live
            if live:
                self.model.end(token, S.QUEUED)

    @rule(which=WHICH)
    def free(self, which: int) -> None:
        token = self._pick(which)
        if token is not None:
            slots.free(self.store, token)
            attempt = self.model.attempts[token]
            attempt.held = attempt.live

    @rule(number=EXPERIMENTS)
    def cancel(self, number: int) -> None:
        wanted = {n for n, j in self.model.jobs.items() if j.experiment == f"e{number}" and not j.state.is_finished}
        assert {j.id for j in jobs.cancel(self.store, f"e{number}", folds=None, actor="ann")} == wanted
        for n in wanted:
            self.model.jobs[n].state = S.CANCELLED
        for attempt in self.model.attempts.values():
            attempt.live = attempt.live and attempt.job not in wanted

    @rule(number=EXPERIMENTS)
    def retry(self, number: int) -> None:
        mine = {n: j for n, j in self.model.jobs.items() if j.experiment == f"e{number}"}
        passed = any(j.label == "debug" and j.state is S.SUCCEEDED for j in mine.values())
        jobs.retry(self.store, f"e{number}", folds=None, actor="ann")
        for job in mine.values():
            if job.state in (S.FAILED, S.CANCELLED):
                waits = job.label != "debug" and not passed
                job.state, job.failures = (S.WAITING if waits else S.QUEUED), 0

    @rule(number=EXPERIMENTS)
    def bump(self, number: int) -> None:
        pending = [j.priority for j in self.model.jobs.values() if j.state.is_pending]
        for changed in jobs.bump(self.store, f"e{number}", folds=None, priority=None, actor="ann"):
            self.model.jobs[changed.id].priority = max(pending) + 1

    @rule(name=st.sampled_from(("queue", *MEMBERS)), on=st.sampled_from((True, False, False)))
    def pause(self, name: str, on: bool) -> None:
        scope = Scope.QUEUE if name == "queue" else Scope.MEMBER
        if on:
            pauses.add(self.store, scope, self.ids.get(name), name, actor="ann")
            self.model.paused.add(name)
        else:
            removed = pauses.remove(self.store, scope, self.ids.get(name), name, actor="ann")
            assert removed == (name in self.model.paused)
            self.model.paused.discard(name)

    @invariant()
    def the_database_is_what_the_model_says(self) -> None:
        check_invariants(self.store)
        names = {job.experiment for job in self.model.jobs.values()}
        found = {job.id: job for name in names for job in jobs.of_experiment(self.store, name)}
        assert {n: (j.state, j.failures, j.priority) for n, j in found.items()} == {
            n: (j.state, j.failures, j.priority) for n, j in self.model.jobs.items()
        }
        held = {slot.token: slot.is_live for slot in slots.held(self.store)}
        assert held == {t: a.live for t, a in self.model.attempts.items() if a.held}


def test_the_queue_does_what_the_model_does(tmp_path: Path) -> None:
    make_store(tmp_path / "template").close()
    Queue.template = tmp_path / "template"
    case = Queue.TestCase
    case.settings = settings(
        max_examples=40,
        stateful_step_count=50,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),  # a failure says its steps; making them fewer would take minutes
    )
    case().runTest()
