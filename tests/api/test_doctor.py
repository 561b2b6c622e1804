import os
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from competition.api.doctor import OLD_S, Verdict, examine, file_system_of
from competition.queue.processes import this_process
from competition.store.engine import Store
from competition.store.queue import attempts
from tests.conftest import submitted
from tests.store.making import result


def verdicts(store: Store) -> dict[str, Verdict]:
    return {check.what: check.verdict for check in examine(store)}


def finish(store: Store) -> Path:
    """A debug job with one file, of another hash than was recorded."""
    submitted(store, folds=())
    claim = attempts.claim(store, this_process(), device="cpu", slot=0)
    assert claim is not None
    attempts.succeed(store, result(claim.token))
    file = store.paths.job("b1", None).folder / "log.txt"
    file.parent.mkdir(parents=True)
    file.write_text("changed")
    return file


def write_settings(store: Store) -> None:
    store.paths.competition.write_text("name: x\nclasses: [a, b]\ndata:\n  images: images\n  masks: masks\n")
    store.paths.baseline.write_text("train:\n  epochs: 3\n")


def test_a_sound_competition(store: Store) -> None:
    write_settings(store)
    found = verdicts(store)
    assert found["database"] is found["clock"] is found["artifacts"] is Verdict.OK
    assert Verdict.PROBLEM not in found.values()


def test_settings_that_nobody_can_read_are_a_problem(store: Store) -> None:
    write_settings(store)
    store.paths.baseline.write_text("train:\n  epoch: 3\n")
    checks = {check.what: check for check in examine(store)}
    assert checks["competition.yaml"].verdict is Verdict.OK
    assert checks["baseline.yaml"].verdict is Verdict.PROBLEM
    assert "epoch" in checks["baseline.yaml"].found
    store.paths.competition.unlink()
    assert verdicts(store)["competition.yaml"] is Verdict.PROBLEM


def test_a_file_that_is_not_what_its_job_left(store: Store) -> None:
    file = finish(store)
    checks = {check.what: check for check in examine(store)}
    assert (checks["b1 debug"].verdict, checks["b1 debug"].found) == (Verdict.PROBLEM, "log.txt was changed")
    file.unlink()
    assert {c.what: c.found for c in examine(store)}["b1 debug"] == "log.txt is missing"


def test_a_network_file_system_is_warned_of(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = [
        SimpleNamespace(mountpoint="/", fstype="ext4"),
        SimpleNamespace(mountpoint=str(store.paths.root), fstype="nfs4"),
    ]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: mounts)
    assert file_system_of(store.paths.runs) == "nfs4"
    assert file_system_of(Path("/")) == "ext4"
    assert verdicts(store)["file system"] is Verdict.WARNING


def test_a_clock_behind_the_history_is_warned_of(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    submitted(store, folds=())
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    assert verdicts(store)["clock"] is Verdict.WARNING


def test_unfinished_files_of_dead_processes_are_removed(store: Store) -> None:
    old, new = store.paths.runs / ".x.1234.tmp", store.paths.runs / ".y.1234.tmp"
    for path in (old, new):
        path.write_text("half")
    os.utime(old, (time.time() - 2 * OLD_S,) * 2)
    assert verdicts(store)["unfinished files"] is Verdict.MENDED
    assert not old.exists()
    assert new.exists()
