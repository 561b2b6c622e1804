import os
import subprocess
import sys
from dataclasses import replace

from competition.queue.processes import identify, is_gone, kill_group, this_process


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
