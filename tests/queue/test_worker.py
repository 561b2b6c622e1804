import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from competition.errors import CompError, StoreBusyError, StoreError
from competition.experiments.scoring import score_and_compare
from competition.lifecycle import FailureKind, JobState
from competition.queue import worker as worker_module
from competition.queue.worker import BrokenMachineError, Worker
from competition.store import events, experiments
from competition.store.engine import Store
from competition.store.queue import attempts, jobs, pauses, slots
from competition.store.queue.pauses import Scope
from tests.conftest import submitted
from tests.queue.making import (
    QuickForkServer,
    crash,
    finish_unheard,
    group_of,
    hang,
    succeed,
    wait_for,
    worker,
)
from tests.store.making import check_invariants, config

S = JobState


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests need not wait as long as people."""
    monkeypatch.setattr(worker_module, "TICK_S", 0.02)
    monkeypatch.setattr(worker_module, "HEARTBEAT_S", 0.05)
    monkeypatch.setattr(worker_module, "STOP_S", 2.0)


@pytest.fixture(autouse=True)
def unscored(monkeypatch: pytest.MonkeyPatch) -> None:
    """These children leave no confusion matrices to score."""
    monkeypatch.setattr(worker_module, "score_and_compare", lambda *args, **options: [])


def state(store: Store, name: str = "b1") -> JobState:
    return jobs.of_experiment(store, name)[0].state


@contextmanager
def meanwhile(action: Callable[[], None]) -> Iterator[None]:
    """Do something while the worker runs in the main thread, where signals arrive."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
            failed.append(error)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join()
    assert failed == []


def run_until_asked(made: Worker) -> None:
    assert not made.work(until_empty=False)


def test_a_worker_does_all_jobs_and_leaves_nothing(store: Store) -> None:
    submitted(store)
    assert worker(store, succeed).work(until_empty=True)
    assert {j.state for j in jobs.of_experiment(store, "b1")} == {S.SUCCEEDED}
    assert slots.held(store) == []
    check_invariants(store)


def test_a_child_that_ends_without_a_word_keeps_the_result_it_left(store: Store) -> None:
    submitted(store, folds=())
    assert worker(store, finish_unheard).work(until_empty=True)
    assert state(store) is S.SUCCEEDED


def test_a_crash_is_tried_three_times_with_its_signal_and_its_last_lines(store: Store) -> None:
    submitted(store, folds=())
    assert worker(store, crash).work(until_empty=True)
    job = jobs.of_experiment(store, "b1")[0]
    assert (job.state, job.failure, job.failures) == (S.FAILED, FailureKind.CRASH, 3)
    assert job.reason == "its process crashed with SIGSEGV"
    tail = attempts.log_tail(store, job.id)
    assert tail is not None
    assert tail.endswith("CUDA error: an illegal memory access was encountered")
    check_invariants(store)


def test_a_worker_whose_jobs_fail_in_a_row_stops_itself_and_spares_the_rest(store: Store) -> None:
    for number in range(6):
        submitted(store, config(number), folds=(), name=f"e{number}")
    with pytest.raises(BrokenMachineError, match="3 different jobs failed in a row") as caught:
        worker(store, crash).work(until_empty=True)
    assert "comp doctor" in str(caught.value)
    found = [jobs.of_experiment(store, f"e{n}")[0] for n in range(6)]
    assert [j.failures for j in found] == [1, 1, 1, 0, 0, 0]
    assert {j.state for j in found} == {S.QUEUED}


def test_a_success_in_between_speaks_for_the_machine(store: Store) -> None:
    for number in range(5):
        submitted(store, config(number), folds=(), name=f"e{number}")
    bad = {"e0", "e1", "e3", "e4"}
    seen: list[str] = []

    def work(spec: object, connection: object) -> None:
        (crash if spec.experiment in bad else succeed)(spec, connection)  # type: ignore[attr-defined, arg-type]

    made = worker(store, work)
    seen.extend(bad)
    with pytest.raises(BrokenMachineError):
        made.work(until_empty=True)
    failures = {f"e{n}": jobs.of_experiment(store, f"e{n}")[0].failures for n in range(5)}
    assert failures["e2"] == 0
    assert sum(failures.values()) == 5, "two, then a success, then three"


def test_a_child_killed_from_outside_goes_on_and_that_counts_for_nothing(store: Store) -> None:
    submitted(store, folds=())
    made = worker(store, hang)

    def kill_it() -> None:
        for number in range(4):
            wait_for(lambda: len(made.fork_server.started) > number)  # type: ignore[attr-defined]  # noqa: B023
            child = made.fork_server.started[number]  # type: ignore[attr-defined]
            wait_for(lambda: len(group_of(child.identity.pid)) == 2)  # noqa: B023
            os.kill(child.identity.pid, signal.SIGKILL)
            wait_for(lambda: not group_of(child.identity.pid))  # noqa: B023

    with meanwhile(kill_it):
        run_until_asked(made)
    job = jobs.of_experiment(store, "b1")[0]
    assert (job.state, job.failures) == (S.QUEUED, 0)
    whys = [e.why for e in events.history(store, subject="b1") if e.action == "debug: running -> lost"]
    assert whys[-4:] == ["its process was ended from outside by SIGKILL"] * 4


def test_cancelling_ends_the_child_and_its_loaders_before_the_slot_is_anothers(store: Store) -> None:
    submitted(store, folds=())
    made = worker(store, hang)

    def cancel() -> None:
        wait_for(lambda: made.fork_server.started and len(group_of(made.fork_server.started[0].identity.pid)) == 2)  # type: ignore[attr-defined]
        pid = made.fork_server.started[0].identity.pid  # type: ignore[attr-defined]
        jobs.cancel(store, "b1", folds=None, actor="ann")
        wait_for(lambda: not slots.held(store))
        assert group_of(pid) == []

    with meanwhile(cancel):
        run_until_asked(made)
    assert state(store) is S.CANCELLED


def test_holding_saves_what_runs_and_keeps_it_from_starting(store: Store) -> None:
    submitted(store, folds=())
    experiment = experiments.find(store, "b1")
    made = worker(store, hang)

    def hold() -> None:
        wait_for(lambda: state(store) is S.RUNNING)
        pauses.add(store, Scope.EXPERIMENT, experiment.id, "b1", actor="ann", stops=True)
        wait_for(lambda: state(store) is S.QUEUED)
        time.sleep(0.3)
        assert state(store) is S.QUEUED
        pauses.remove(store, Scope.EXPERIMENT, experiment.id, "b1", actor="ann")
        wait_for(lambda: state(store) is S.RUNNING)

    with meanwhile(hold):
        run_until_asked(made)
    check_invariants(store)


def test_a_worker_with_nothing_it_may_start_is_done(store: Store) -> None:
    submitted(store, folds=())
    pauses.add(store, Scope.QUEUE, None, "queue", actor="ann")
    assert worker(store, succeed).work(until_empty=True)
    assert state(store) is S.QUEUED


def test_two_jobs_share_a_device_and_a_third_waits(store: Store) -> None:
    for number in range(3):
        submitted(store, config(number), folds=(), name=f"e{number}")
    made = worker(store, hang, jobs_per_device=2)

    def look() -> None:
        wait_for(lambda: [state(store, f"e{n}") for n in range(3)] == [S.RUNNING, S.RUNNING, S.QUEUED])
        assert {(h.device, h.slot) for h in slots.held(store)} == {("cpu", 0), ("cpu", 1)}

    with meanwhile(look):
        run_until_asked(made)
    assert [state(store, f"e{n}") for n in range(3)] == [S.QUEUED] * 3
    assert slots.held(store) == []


def test_a_free_device_gets_its_next_job_before_anything_is_scored(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        submitted(store, config(number), folds=(), name=f"e{number}")
    seen: list[list[JobState]] = []

    def look(*_: object, **__: object) -> list[str]:
        seen.append([state(store, f"e{n}") for n in range(3)])
        return []

    monkeypatch.setattr(worker_module, "score_and_compare", look)
    assert worker(store, succeed).work(until_empty=True)
    assert len(seen) > 3
    idle = [states for states in seen if S.QUEUED in states and S.RUNNING not in states]
    assert idle == []


def test_no_child_runs_that_the_database_does_not_know(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker dies, or the job is cancelled, between starting a process and writing it down."""
    submitted(store, folds=())
    made = worker(store, finish_unheard)
    monkeypatch.setattr(
        attempts, "child_started", lambda *args: jobs.cancel(store, "b1", folds=None, actor="ann") and False
    )
    assert made.work(until_empty=True)
    assert state(store) is S.CANCELLED
    assert not store.paths.job("b1", None).result.is_file(), "the child never began"
    assert slots.held(store) == []


def test_a_locked_database_holds_nothing_up_for_ever_and_loses_no_result(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted(store)
    said: list[str] = []
    failures = iter([True, False, True, True, False] * 200)
    real = Store.write

    @contextmanager
    def flaky(self: Store) -> Iterator[object]:
        if next(failures):
            raise StoreBusyError("the database is locked.")
        with real(self) as tx:
            yield tx

    monkeypatch.setattr(Store, "write", flaky)
    assert worker(store, succeed, tell=said.append).work(until_empty=True)
    monkeypatch.setattr(Store, "write", real)
    assert {j.state for j in jobs.of_experiment(store, "b1")} == {S.SUCCEEDED}
    assert said
    assert "Jobs go on" in said[0]
    check_invariants(store)


def test_a_worker_gives_up_when_the_database_stays_locked(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    submitted(store)
    monkeypatch.setattr(worker_module, "PATIENCE_S", 0.1)

    @contextmanager
    def locked(self: Store) -> Iterator[object]:
        raise StoreBusyError("the database is locked.")
        yield

    monkeypatch.setattr(Store, "write", locked)
    with pytest.raises(StoreError, match="locked"):
        worker(store, succeed).work(until_empty=True)


def test_a_machine_that_starts_no_process_is_not_the_jobs_fault(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    submitted(store, folds=())

    def refuse(self: object, spec: object) -> object:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(QuickForkServer, "start", refuse)
    with pytest.raises(BrokenMachineError, match="no process could be started"):
        worker(store, succeed).work(until_empty=True)
    job = jobs.of_experiment(store, "b1")[0]
    assert (job.state, job.failures) == (S.QUEUED, 0)
    assert slots.held(store) == []


def test_an_experiment_whose_files_are_gone_stops_no_other_and_is_told_of_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "score_and_compare", score_and_compare)
    monkeypatch.setattr(worker_module, "REAP_S", 0.0)
    submitted(store)
    for number in range(3):
        submitted(store, config(number), folds=(), name=f"e{number}")
    said: list[str] = []
    assert worker(store, succeed, tell=said.append).work(until_empty=True)
    assert {state(store, f"e{n}") for n in range(3)} == {S.SUCCEEDED}
    missing = store.paths.job("b1", 0).confusion
    again = "`comp retry b1 --folds 0 --finished-too` runs the job that writes it again."
    assert said == [f"b1 cannot be scored: {missing} does not exist.\n{again}"]


def test_a_worker_for_an_experiment_whose_files_are_gone_says_how_to_mend_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "score_and_compare", score_and_compare)
    submitted(store)
    said: list[str] = []
    made = worker(store, succeed, experiment="b1", tell=said.append)
    with pytest.raises(CompError, match="b1 cannot be scored") as caught:
        made.work(until_empty=True)
    assert caught.value.hint is not None
    assert "comp retry b1 --folds 0 --finished-too" in caught.value.hint
    assert said == []
    assert {j.state for j in jobs.of_experiment(store, "b1")} == {S.SUCCEEDED}
