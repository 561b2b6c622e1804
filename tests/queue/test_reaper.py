import subprocess
import sys
import time
from dataclasses import replace

from sqlalchemy import update

from competition.files import write_json
from competition.jobspec import Succeeded
from competition.lifecycle import JobKind, JobState
from competition.queue.processes import identify, this_process
from competition.queue.reaper import reap
from competition.store import schema
from competition.store.engine import Store
from competition.store.queue import attempts, jobs, slots
from competition.store.queue.attempts import Process
from tests.conftest import submitted


def dead_process() -> Process:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = identify(child.pid)
    child.communicate()
    return identity


def state(store: Store) -> JobState:
    return jobs.of_experiment(store, "b1")[0].state


def claim(store: Store, worker: Process) -> str:
    submitted(store, folds=())
    taken = attempts.claim(store, worker, device="cpu", slot=0)
    assert taken is not None
    return taken.token


def test_the_job_of_a_dead_worker_is_queued_again(store: Store) -> None:
    claim(store, dead_process())
    assert reap(store) == 1
    assert state(store) is JobState.QUEUED
    assert reap(store) == 0


def test_the_job_of_a_living_worker_is_left_alone(store: Store) -> None:
    claim(store, this_process())
    assert reap(store) == 0
    assert state(store) is JobState.RUNNING


def test_an_overdue_heartbeat_of_a_living_worker_is_only_suspect(store: Store) -> None:
    token = claim(store, this_process())
    with store.write() as tx:
        tx.execute(update(schema.attempts).values(heartbeat_at=time.time() - 1000))
    assert reap(store) == 0
    assert state(store) is JobState.SUSPECT
    assert attempts.heartbeat(store, token, None)
    assert state(store) is JobState.RUNNING


def test_another_hosts_jobs_are_not_ours_to_judge(store: Store) -> None:
    claim(store, replace(dead_process(), host="elsewhere"))
    assert reap(store) == 0
    assert state(store) is JobState.RUNNING


def test_a_child_that_outlives_its_worker_is_ended_first(store: Store) -> None:
    token = claim(store, dead_process())
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    attempts.child_started(store, token, identify(child.pid))
    assert reap(store) == 1
    assert child.wait(timeout=10) != 0
    child.communicate()
    assert state(store) is JobState.QUEUED


def test_a_job_that_had_finished_keeps_its_result(store: Store) -> None:
    token = claim(store, dead_process())
    left = Succeeded(token, None, 2.0, 1.0, 1.0, {})
    write_json(store.paths.job("b1", None).result, left.to_json())
    assert reap(store) == 1
    assert state(store) is JobState.SUCCEEDED


def test_a_fold_with_another_seed_is_settled_by_its_own_files(store: Store) -> None:
    submitted(store, folds=(0,), seeds=2)
    worker = dead_process()
    tokens = {}
    for slot in range(3):
        taken = attempts.claim(store, worker, device="cpu", slot=slot)
        assert taken is not None
        tokens[taken.kind, taken.repeat] = taken.token
        if taken.kind is JobKind.DEBUG:
            attempts.succeed(store, Succeeded(taken.token, None, 2.0, 1.0, 1.0, {}))
    mine = Succeeded(tokens[JobKind.FOLD, 1], 0.75, 2.0, 1.0, 1.0, {})
    write_json(store.paths.job("b1", 0, 1).result, mine.to_json())
    store.paths.job("b1", 0, 0).log.parent.mkdir(parents=True, exist_ok=True)
    store.paths.job("b1", 0, 0).log.write_text("epoch 3 of 20\n")
    assert reap(store) == 2
    debug, first, second = jobs.of_experiment(store, "b1")
    assert debug.state is JobState.SUCCEEDED
    assert (first.repeat, first.state, first.score) == (0, JobState.QUEUED, None)
    assert (second.repeat, second.state, second.score) == (1, JobState.SUCCEEDED, 0.75)
    assert attempts.log_tail(store, first.id) == "epoch 3 of 20"
    assert slots.held(store) == []


def test_the_result_of_an_earlier_attempt_counts_for_nothing(store: Store) -> None:
    claim(store, dead_process())
    stale = Succeeded("another token", None, 2.0, 1.0, 1.0, {})
    write_json(store.paths.job("b1", None).result, stale.to_json())
    reap(store)
    assert state(store) is JobState.QUEUED
