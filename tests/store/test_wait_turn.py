"""Writers of one host wait in line; nothing rests on it but their patience."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from competition.store.wait_turn import in_line


def holder(folder: Path) -> int:
    """A process that stands in front of the line; its pid, once it does."""
    told, tells = os.pipe()
    pid = os.fork()
    if pid == 0:
        with in_line(folder, timeout_s=1.0):
            os.write(tells, b".")
            time.sleep(60)
        os._exit(0)
    os.read(told, 1)
    os.close(told)
    os.close(tells)
    return pid


def seconds_in_line(folder: Path, *, timeout_s: float) -> float:
    started = time.monotonic()
    with in_line(folder, timeout_s=timeout_s):
        return time.monotonic() - started


def test_a_writer_waits_for_the_one_before_it_however_that_ends(tmp_path: Path) -> None:
    pid = holder(tmp_path)
    threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
    assert 0.2 < seconds_in_line(tmp_path, timeout_s=20.0) < 10.0
    os.waitpid(pid, 0)
    assert seconds_in_line(tmp_path, timeout_s=20.0) < 5.0


def test_one_who_was_stopped_holds_nobody_up_for_ever(tmp_path: Path) -> None:
    pid = holder(tmp_path)
    os.kill(pid, signal.SIGSTOP)
    before = signal.getsignal(signal.SIGALRM)
    try:
        assert 0.2 < seconds_in_line(tmp_path, timeout_s=0.3) < 10.0
        assert signal.getsignal(signal.SIGALRM) is before
        assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_an_error_of_the_writer_is_its_own(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="disk"), in_line(tmp_path, timeout_s=1.0):
        raise OSError("the disk is full")
    assert seconds_in_line(tmp_path, timeout_s=20.0) < 5.0


def test_where_nobody_can_stand_in_line_nobody_waits(tmp_path: Path) -> None:
    assert seconds_in_line(tmp_path / "missing", timeout_s=20.0) < 5.0
