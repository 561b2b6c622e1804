import os
import platform
import signal
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest

from competition.queue.processes import identify, is_gone, is_group_gone, kill_group, memory_of_group, this_process


def test_a_process_knows_itself() -> None:
    assert this_process().pid == os.getpid()
    assert not is_gone(this_process())


def test_a_process_that_has_ended_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    identity = identify(child.pid)
    assert not is_gone(identity)
    assert kill_group(identity)
    assert is_gone(identity)
    child.communicate()
    assert is_gone(identity)
    assert kill_group(identity)


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="the system call has its number there"
)
def test_a_process_lives_as_long_as_any_of_its_threads() -> None:
    """Its first thread ends by the system call; the kernel calls the process a zombie from then on."""
    code = (
        "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(600,)).start(); "
        "print('ready', flush=True); ctypes.CDLL(None).syscall(60, 0)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True) as child:
        assert child.stdout is not None
        identity = identify(child.pid)
        child.stdout.readline()
        deadline = time.monotonic() + 10
        try:
            while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
                time.sleep(0.01)
            assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
            assert not is_gone(identity)
            assert not is_group_gone(identity)
        finally:
            assert kill_group(identity)
        assert is_gone(identity)


def test_a_pid_that_is_used_again_or_a_reboot_is_no_proof_of_life() -> None:
    me = this_process()
    assert is_gone(replace(me, started_at=me.started_at - 100))
    assert is_gone(replace(me, boot_id="another boot"))


def test_the_memory_of_a_group_is_that_of_all_its_processes() -> None:
    """The leader starts another process, as a job starts loaders; each holds 40 MiB of its own."""
    code = "import os; os.fork(); held = os.urandom(40 * 2**20); print('ready', flush=True); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as leader:
        assert leader.stdout is not None
        for _ in range(2):
            leader.stdout.readline()
        found = memory_of_group(identify(leader.pid))
        os.killpg(leader.pid, signal.SIGKILL)
    assert 80 <= found < 150
