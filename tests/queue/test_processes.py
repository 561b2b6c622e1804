import os
import signal
import subprocess
import sys
from dataclasses import replace

from competition.queue.processes import identify, is_gone, kill_group, memory_of_group, this_process


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
