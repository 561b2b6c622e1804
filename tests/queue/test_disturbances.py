"""What machines do to a queue: processes that stop, clocks that move, disks that fill, databases that vanish."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress

import pytest
from sqlalchemy import update

from competition.errors import StoreBusyError, StoreError
from competition.jobspec import JobSpec
from competition.lifecycle import JobState
from competition.queue import processes, reaper
from competition.queue import worker as worker_module
from competition.queue.processes import identify, is_gone, this_process
from competition.queue.reaper import reap
from competition.store import members, schema
from competition.store.engine import Store, open_store
from competition.store.queue import attempts, jobs, slots
from competition.team.roles import Role
from tests.conftest import submitted
from tests.queue.making import group_of, hang, succeed, wait_for, worker
from tests.store.making import check_invariants, config

S = JobState


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "TICK_S", 0.02)
    monkeypatch.setattr(worker_module, "HEARTBEAT_S", 0.05)
    monkeypatch.setattr(worker_module, "score_and_compare", lambda *args, **options: [])


def state(store: Store, name: str = "b1") -> JobState:
    return jobs.of_experiment(store, name)[0].state


def supervisor(store: Store, work: Callable[..., None]) -> int:
    """A worker in a process of its own; its pid. Its exit code is 0 if it ended well, 1 with an expected error."""
    pid = os.fork()
    if pid == 0:
        code = 3
        try:
            opened = open_store(store.paths)
            worker(opened, work).work(until_empty=True)
            code = 0
        except StoreError as error:
            (store.paths.root / "said.txt").write_text(str(error))
            code = 1
        finally:
            os._exit(code)
    return pid


def stop(pid: int, store: Store) -> None:
    """Stop a worker, though not in the middle of a write: then all others would wait for it, and say so."""
    with closing(sqlite3.connect(store.paths.database, timeout=0.2, isolation_level=None)) as raw:
        while True:
            os.kill(pid, signal.SIGSTOP)
            try:
                raw.execute("BEGIN IMMEDIATE")
                raw.execute("ROLLBACK")
                return
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGCONT)
                time.sleep(0.02)


def slow(spec: JobSpec, connection: object) -> None:
    """A job of two seconds."""
    time.sleep(2.0)
    succeed(spec, connection)  # type: ignore[arg-type]


def test_a_worker_stopped_beyond_its_lease_is_suspect_then_accepted_and_never_doubled(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaper, "LEASE_S", 0.3)
    submitted(store, folds=())
    pid = supervisor(store, slow)
    wait_for(lambda: state(store) is S.RUNNING)
    stop(pid, store)
    wait_for(lambda: reap(store) or state(store) is S.SUSPECT)
    assert attempts.claim(store, this_process(), device="other", slot=0) is None, "it is not run again"
    time.sleep(2.0)
    reap(store)
    assert state(store) is S.SUSPECT
    os.kill(pid, signal.SIGCONT)
    assert os.waitpid(pid, 0)[1] == 0
    assert state(store) is S.SUCCEEDED
    with store.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM attempts").scalar_one() == 1
    check_invariants(store)


def test_a_job_cancelled_and_retried_while_its_worker_is_stopped_waits_for_the_old_child(store: Store) -> None:
    submitted(store, folds=())
    pid = supervisor(store, hang)
    wait_for(lambda: any(h.child and len(group_of(h.child.pid)) == 2 for h in slots.held(store)))
    child = slots.held(store)[0].child
    assert child is not None
    stop(pid, store)
    jobs.cancel(store, "b1", folds=None, actor="ann")
    jobs.retry(store, "b1", folds=None, actor="ann")
    assert attempts.claim(store, this_process(), device="other", slot=0) is None, "two would write the same files"
    reap(store)
    assert group_of(child.pid) == [], "nobody wants it any more, so anybody may end it"
    again = attempts.claim(store, this_process(), device="other", slot=0)
    assert again is not None
    os.kill(pid, signal.SIGCONT)
    time.sleep(0.5)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert [h.token for h in slots.held(store)] == [again.token], "the old token has moved nothing"
    check_invariants(store)


def test_loaders_that_outlive_the_child_are_ended_before_the_job_goes_on(store: Store) -> None:
    submitted(store, folds=())
    pid = supervisor(store, hang)
    wait_for(lambda: any(h.child and len(group_of(h.child.pid)) == 2 for h in slots.held(store)))
    child = slots.held(store)[0].child
    assert child is not None
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.kill(child.pid, signal.SIGKILL)
    wait_for(lambda: len(group_of(child.pid)) == 1)
    assert reap(store) == 1
    assert group_of(child.pid) == []
    assert state(store) is S.QUEUED
    assert slots.held(store) == []


@pytest.mark.parametrize("shift_s", [-3600.0, 3600.0])
def test_a_clock_that_is_set_makes_no_job_lost(store: Store, monkeypatch: pytest.MonkeyPatch, shift_s: float) -> None:
    submitted(store, folds=())
    pid = supervisor(store, hang)
    wait_for(lambda: any(h.child for h in slots.held(store)))
    held = slots.held(store)[0]
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + shift_s)
    monkeypatch.setattr(processes.psutil, "boot_time", lambda: shift_s)
    assert not is_gone(held.worker)
    assert reap(store) == 0
    assert state(store) in (S.RUNNING, S.SUSPECT)
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    assert state(store) is S.QUEUED
    assert all(job.device_s >= 0 for job in jobs.of_experiment(store, "b1"))


def test_another_hosts_silence_is_suspect_and_nothing_more(store: Store) -> None:
    submitted(store, folds=())
    there = attempts.Process("elsewhere", "boot", 1, 1.0)
    assert attempts.claim(store, there, device="cpu", slot=0) is not None
    with store.write() as tx:
        tx.execute(update(schema.attempts).values(heartbeat_at=time.time() - 1000))
    assert reap(store) == 0
    assert state(store) is S.SUSPECT


def test_a_full_disk_changes_nothing_and_says_so(store: Store) -> None:
    """The limit on a file's size stands for a disk that is full: writing beyond it fails in the same place."""
    submitted(store, folds=())
    pid = os.fork()
    if pid == 0:
        code = 3
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            opened = open_store(store.paths)
            size = max(p.stat().st_size for p in store.paths.runs.iterdir() if p.is_file())
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
            for number in range(200):
                members.assign(opened, f"member {number}", [Role.EDA], actor="test")
                (store.paths.root / "count").write_text(str(number + 1))
        except StoreError as error:
            (store.paths.root / "error.txt").write_text(f"{type(error).__name__}: {error}")
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    message = (store.paths.root / "error.txt").read_text()
    assert "comp.db" in message
    acknowledged = int((store.paths.root / "count").read_text()) if (store.paths.root / "count").is_file() else 0
    assert len(members.everyone(store)) == acknowledged + 1, "what was acknowledged is there, and nothing else"
    assert state(store) is S.QUEUED


@pytest.mark.parametrize("harm", ["removed", "replaced", "truncated"])
def test_a_worker_whose_database_is_harmed_stops_with_a_clear_message(store: Store, harm: str) -> None:
    for number in range(30):
        submitted(store, config(number), folds=(), name=f"e{number}")
    pid = supervisor(store, hang)
    wait_for(lambda: any(h.child and len(group_of(h.child.pid)) == 2 for h in slots.held(store)))
    child = slots.held(store)[0].child
    assert child is not None
    database = store.paths.database
    if harm == "removed":
        store.close()
        database.unlink()
    elif harm == "replaced":
        store.close()
        database.rename(database.with_suffix(".old"))
        sqlite3.connect(database).close()
        database.touch()
    else:
        with sqlite3.connect(database) as raw:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        os.truncate(database, 4096)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    said = (store.paths.root / "said.txt").read_text()
    assert "comp.db" in said
    assert {"removed": "was removed", "replaced": "was replaced", "truncated": "damaged"}[harm] in said
    assert "copy" in said or "backup" in said
    assert group_of(child.pid) == [], "its child has saved and ended"


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs users")
def test_a_folder_that_nobody_may_write_to_is_one_clear_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    submitted(store, folds=())
    store.close()
    root = store.paths.root
    for path in (root / "runs").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    (root / "runs").chmod(0o555)
    root.chmod(0o755)
    monkeypatch.chdir(root)
    code = (
        "import os; from pathlib import Path\n"
        "from competition.paths import Paths; from competition.errors import CompError\n"
        "from competition.store import members; from competition.store.engine import open_store\n"
        "from competition.team.roles import Role\n"
        "import competition.store.queue.jobs, alembic.command\n"
        "if os.geteuid() == 0: os.setegid(65534); os.seteuid(65534)\n"
        "try:\n"
        "    members.assign(open_store(Paths(Path('.'))), 'bob', [Role.EDA], actor='bob')\n"
        "except CompError as error:\n"
        "    print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=False)
    for path in (root / "runs", *(root / "runs").rglob("*")):
        path.chmod(0o755)
    assert ran.returncode == 0, ran.stderr
    assert "comp.db" in ran.stdout
    assert "write to that folder" in ran.stdout
    assert [m.name for m in members.everyone(open_store(store.paths))] == ["ann"]


def test_a_database_that_another_holds_is_busy_not_broken(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("competition.store.engine.BUSY_TIMEOUT_S", 0.1)
    second = open_store(store.paths)
    with sqlite3.connect(store.paths.database, isolation_level=None) as raw:
        raw.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError, match="locked"):
            members.assign(second, "bob", [Role.EDA], actor="bob")
        raw.execute("ROLLBACK")
    assert members.assign(second, "bob", [Role.EDA], actor="bob").name == "bob"
    second.close()


def test_a_pid_of_a_process_that_ended_at_once_is_no_proof_of_life() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"], start_new_session=True)
    with suppress(processes.psutil.NoSuchProcess):
        found = identify(child.pid)
        child.wait()
        assert is_gone(found)
    child.wait()
