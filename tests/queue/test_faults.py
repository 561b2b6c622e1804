"""A process that dies between any two writes of the state machine leaves a queue that goes on."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event

from competition.files import write_json
from competition.lifecycle import FailureKind, JobState
from competition.paths import Paths
from competition.queue.processes import this_process
from competition.queue.reaper import reap
from competition.store import plans
from competition.store.engine import Store, open_store
from competition.store.queue import attempts, jobs, pauses, slots
from competition.store.queue.pauses import Scope
from tests.conftest import plan, submitted
from tests.store.making import check_invariants, config, make_store, result

S = JobState
Step = Callable[[Store], object]


def claim(store: Store) -> str:
    taken = attempts.claim(store, this_process(), device="cpu", slot=0)
    assert taken is not None
    return taken.token


def started(store: Store) -> str:
    token = claim(store)
    attempts.child_started(store, token, this_process())
    return token


def run_again(store: Store) -> None:
    token = claim(store)
    attempts.lose(store, token, why="died")
    claim(store)
    attempts.succeed(store, result(token))


def finish_and_die(store: Store) -> None:
    """A child that has written its result, and a worker that does not come to hand it in."""
    token = claim(store)
    write_json(store.paths.job("e0", None).result, result(token).to_json())
    attempts.succeed(store, result(token))


STEPS: dict[str, Step] = {
    "submit": lambda store: plans.submit(store, plan(config(9), name="e9"), folds=(0, 1)),
    "claim": claim,
    "child started": started,
    "heartbeat": lambda store: attempts.heartbeat(store, claim(store), None),
    "suspect and back": lambda store: (
        attempts.suspect(store, token := claim(store), why="silence"),
        attempts.heartbeat(store, token, None),
    ),
    "succeed": lambda store: attempts.succeed(store, result(claim(store))),
    "finish and die": finish_and_die,
    "fail": lambda store: attempts.fail(store, claim(store), kind=FailureKind.USER, reason="wrong"),
    "fail and try again": lambda store: attempts.fail(store, claim(store), kind=FailureKind.CRASH, reason="broke"),
    "release": lambda store: attempts.release(store, claim(store), why="interrupted"),
    "lose": lambda store: attempts.lose(store, claim(store), why="died"),
    "late": run_again,
    "cancel and free": lambda store: (
        token := claim(store),
        jobs.cancel(store, "e0", folds=None, actor="ann"),
        slots.free(store, token),
    ),
    "cancel and retry": lambda store: (
        jobs.cancel(store, "e0", folds=None, actor="ann"),
        jobs.retry(store, "e0", folds=None, actor="ann"),
    ),
    "bump": lambda store: jobs.bump(store, "e0", folds=None, priority=None, actor="ann"),
    "pause and resume": lambda store: (
        pauses.add(store, Scope.QUEUE, None, "queue", actor="ann"),
        pauses.remove(store, Scope.QUEUE, None, "queue", actor="ann"),
    ),
}


def die_at(paths: Paths, step: Step, fault: int) -> bool:
    """Do a step in a process that kills itself before its n-th statement, a commit included; whether it came so far."""
    pid = os.fork()
    if pid == 0:
        store = open_store(paths)
        seen = 0

        def count(_statement: str) -> None:
            nonlocal seen
            seen += 1
            if seen > fault:
                os.kill(os.getpid(), signal.SIGKILL)

        store._engine.dispose()
        event.listen(store._engine, "connect", lambda raw, _: raw.set_trace_callback(count))
        step(store)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def run_everything(store: Store) -> None:
    """What the next worker does."""
    pauses.remove(store, Scope.QUEUE, None, "queue", actor="ann")
    jobs.retry(store, "e0", folds=None, actor="ann")
    while (taken := attempts.claim(store, this_process(), device="cpu", slot=0)) is not None:
        assert attempts.succeed(store, result(taken.token, 0.5))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    store = make_store(folder)
    submitted(store, config(0), folds=(0, 1), name="e0")
    store.close()
    return folder


@pytest.mark.parametrize("name", STEPS)
def test_wherever_a_step_is_broken_off_the_queue_goes_on(template: Path, tmp_path: Path, name: str) -> None:
    fault, broken = 0, True
    while broken:
        folder = tmp_path / str(fault)
        shutil.copytree(template, folder)
        broken = die_at(Paths(folder), STEPS[name], fault)
        store = open_store(Paths(folder))
        check_invariants(store)
        reap(store)
        assert slots.held(store) == []
        check_invariants(store)
        run_everything(store)
        check_invariants(store)
        assert {job.state for job in jobs.of_experiment(store, "e0")} == {S.SUCCEEDED}
        store.close()
        fault += 1
    assert fault > 3, "the step writes nothing"
