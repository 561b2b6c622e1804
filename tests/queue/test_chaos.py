"""Kills at random moments over a queue of short real training jobs: nothing is lost, nothing is done twice."""

import os
import random
import shutil
import signal
import time
from collections import Counter
from contextlib import suppress
from multiprocessing import forkserver
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from competition.config.settings import read_settings
from competition.experiments.request import RunRequest, submit
from competition.lifecycle import JobState
from competition.paths import Paths
from competition.queue import reaper
from competition.queue import worker as worker_module
from competition.queue.children import ForkServer
from competition.queue.devices import CPU
from competition.queue.reaper import reap
from competition.queue.worker import Worker
from competition.store import artifacts, schema
from competition.store.engine import Store, open_store
from competition.store.queue import jobs, slots
from tests.conftest import Comp
from tests.queue.making import wait_for
from tests.queue.test_disturbances import stop
from tests.store.making import check_invariants

KILLS = 200
SLOTS = 2
LIMIT_S = 1200.0
MODEL = ("model.encoder=tu-mobilenetv3_small_050", "train.epochs=4", "schedule.warmup_epochs=0")

pytestmark = pytest.mark.slow


class Supervisors:
    """Workers that come and go as processes, while the fork server stays warm: its start would take the time."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._nursery = ForkServer()

    def start(self) -> int:
        """A process with a worker that runs until the queue is empty; its pid."""
        time.sleep(0.05)
        forkserver.ensure_running()  # a worker that is killed while it talks to its fork server takes it along
        pid = os.fork()
        if pid == 0:
            self._supervise()
        return pid

    def _supervise(self) -> None:
        code = 1
        try:
            forkserver._forkserver.ensure_running = lambda: None  # type: ignore[attr-defined]  # it is not our child
            worker_module.HEARTBEAT_S, worker_module.REAP_S = 0.2, 1.0
            store = open_store(self._paths)
            settings = read_settings(self._paths.competition)
            made = Worker(store, settings, [CPU], self._nursery, jobs_per_device=SLOTS)
            made.work(until_empty=True)
            code = 0
        finally:
            os._exit(code)


def request(store: Store, number: int) -> None:
    """An experiment of one debug job and two folds."""
    settings = read_settings(store.paths.competition)
    changes = (*MODEL, f"seed={number}")
    asked = RunRequest(member="ann", name=f"e{number}", assignments=changes, together="to have many")
    submit(store, settings, asked, check_model=lambda config: None)


def kill(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def child_pids(paths: Paths) -> list[int]:
    store = open_store(paths)
    live = [slot.child.pid for slot in slots.held(store) if slot.child is not None]
    store.close()
    return live


def pending(paths: Paths) -> int:
    store = open_store(paths)
    left = jobs.count(store, [state for state in JobState if not state.is_finished])
    store.close()
    return left


def make_more(paths: Paths, number: int) -> None:
    store = open_store(paths)
    request(store, number)
    store.close()


def outcome(paths: Paths) -> dict[str, object]:
    """Everything that must not depend on what was killed."""
    store = open_store(paths)
    names = [f"e{n}" for n in range(1000) if (paths.experiment_config(f"e{n}")).is_file()]
    found: dict[str, object] = {}
    with store.read() as tx:
        scores = dict(tx.execute(select(schema.experiments.c.name, schema.experiments.c.score)).all())
    for name in names:
        for job in jobs.of_experiment(store, name):
            found[f"{name} {job.label}"] = (job.state, job.score)
        hashes = artifacts.of_experiment(store, name)
        kept = {key: sha for key, sha in hashes.items() if key[1].endswith((".u8", ".safetensors", ".npz"))}
        found[name] = (scores[name], kept)
    store.close()
    return found


def test_kills_at_random_moments_change_nothing(comp: Comp, ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    chance = random.Random(0)
    shutil.copytree(ready, ready.parent / "undisturbed")
    paths = Paths(ready)
    supervisors = Supervisors(paths)
    kills: Counter[str] = Counter()
    experiments = 0
    started = time.monotonic()
    pid = supervisors.start()
    while sum(kills.values()) < KILLS or pending(paths):
        assert time.monotonic() - started < LIMIT_S, (kills, experiments)
        if sum(kills.values()) < KILLS and pending(paths) < 2 * SLOTS:
            make_more(paths, experiments)
            experiments += 1
        time.sleep(chance.uniform(0.02, 0.9))
        what = chance.choice(["supervisor", "child", "both"]) if sum(kills.values()) < KILLS else "nobody"
        if what in ("child", "both"):
            alive = child_pids(paths)
            kills["child"] += bool(alive) and kill(chance.choice(alive))
        if what in ("supervisor", "both") and os.waitpid(pid, os.WNOHANG) == (0, 0):
            kills["supervisor"] += kill(pid)
            os.waitpid(pid, 0)
            pid = supervisors.start()
        elif _has_ended(pid):
            pid = supervisors.start()
    os.waitpid(pid, 0)
    print(f"{dict(kills)} kills, {experiments} experiments, {time.monotonic() - started:.0f} s")

    store = open_store(paths)
    reap(store)
    assert slots.held(store) == [], "no slot is left over"
    check_invariants(store)
    with store.read() as tx:
        won = select(schema.attempts.c.job_id).where(schema.attempts.c.outcome == JobState.SUCCEEDED)
        times = Counter(tx.scalars(won))
        groups = set(tx.scalars(select(schema.attempts.c.child_pid).where(schema.attempts.c.child_pid.is_not(None))))
    store.close()
    assert len(times) == 3 * experiments
    assert set(times.values()) == {1}, "every job succeeded exactly once"

    there = Paths(ready.parent / "undisturbed")
    for number in range(experiments):
        make_more(there, number)
    quiet = Supervisors(there).start()
    assert os.waitpid(quiet, 0)[1] == 0
    assert outcome(paths) == outcome(there), "to the last bit"
    assert groups & running_groups() == set(), "no process is left over"


def test_a_job_stopped_beyond_its_lease_goes_on_as_if_nothing_had_been(
    comp: Comp, ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Worker and child are stopped; another worker comes, sees a suspect job, and leaves it alone."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(reaper, "LEASE_S", 1.0)
    shutil.copytree(ready, ready.parent / "undisturbed")
    paths, there = Paths(ready), Paths(ready.parent / "undisturbed")
    for one in (paths, there):
        make_more(one, 0)
    supervisors = Supervisors(paths)
    first = supervisors.start()
    store = open_store(paths)
    wait_for(lambda: store.paths.job("e0", 0).checkpoint.is_file(), 60.0)
    children = child_pids(paths)
    stop(first, store)
    for pid in children:
        os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: reap(store) or any(slot.state is JobState.SUSPECT for slot in slots.held(store)))
    second = supervisors.start()
    time.sleep(3.0)
    live = [slot for slot in slots.held(store) if slot.is_live]
    assert len({slot.job_id for slot in live}) == len(live), "nobody has taken a suspect job"
    assert {slot.child.pid for slot in live if slot.child and slot.state is JobState.SUSPECT} <= set(children)
    for pid in (*children, first):
        os.kill(pid, signal.SIGCONT)
    for pid in (first, second):
        assert os.waitpid(pid, 0)[1] == 0
    with store.read() as tx:
        assert set(Counter(tx.scalars(select(schema.attempts.c.job_id))).values()) == {1}, "one attempt was enough"
    check_invariants(store)
    store.close()
    quiet = Supervisors(there).start()
    assert os.waitpid(quiet, 0)[1] == 0
    assert outcome(paths) == outcome(there), "to the last bit"


def running_groups() -> set[int]:
    """The process groups of this machine that have a process which has not ended."""
    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if process.status() != psutil.STATUS_ZOMBIE:
                found.add(os.getpgid(process.pid))
    return found


def _has_ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG) != (0, 0)
    except ChildProcessError:
        return True
