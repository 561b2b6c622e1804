"""Telling processes apart beyond doubt, and proving that one is gone."""

import os
import signal
import socket
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil

from competition.store.queue.attempts import Process

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_VMSTAT = Path("/proc/vmstat")


@cache
def boot_id() -> str:
    """What changes when this machine restarts."""
    return _BOOT_ID.read_text().strip() if _BOOT_ID.is_file() else str(psutil.boot_time())


def identify(pid: int) -> Process:
    """The identity of a process of this machine.

    Raises:
        psutil.NoSuchProcess: there is none.
    """
    return Process(socket.gethostname(), boot_id(), pid, _started_at(pid))


def this_process() -> Process:
    """The identity of the calling process."""
    return identify(os.getpid())


def is_gone(process: Process) -> bool:
    """Whether a process of this host is proven to have ended: a reboot, no such pid, or the pid used again."""
    if process.boot_id != boot_id():
        return True
    try:
        return abs(_started_at(process.pid) - process.started_at) > 0.5 or _has_ended(process.pid)
    except psutil.NoSuchProcess:
        return True


def is_group_gone(leader: Process) -> bool:
    """Whether a child and everything it started (its loader processes) are proven to have ended.

    A group's number is no other process's while the group has members, so they are found by it without their leader.
    """
    return leader.boot_id != boot_id() or (is_gone(leader) and (_is_used_again(leader) or not _members(leader.pid)))


def kill_group(leader: Process, *, timeout_s: float = 10.0) -> bool:
    """End a child and everything it started.

    Returns:
        Whether they are proven gone; a kill takes effect a moment later, so this waits for it.
    """
    deadline = time.monotonic() + timeout_s
    while not is_group_gone(leader):
        with suppress(ProcessLookupError, PermissionError):
            if not is_gone(leader):
                os.kill(leader.pid, signal.SIGKILL)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader.pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def kills_for_memory() -> int | None:
    """How many processes this machine has ended for lack of memory since its boot; None where it does not tell."""
    with suppress(OSError):
        for line in _VMSTAT.read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return None


def _started_at(pid: int) -> float:
    """When a process started, in seconds since the boot.

    psutil's create_time is a time of day, which moves with the clock: whoever set it back would make every living
    process look like another one.
    """
    stat = Path(f"/proc/{pid}/stat")
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").is_file():
            raise psutil.NoSuchProcess(pid) from None
        return psutil.Process(pid).create_time() - psutil.boot_time()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _is_used_again(leader: Process) -> bool:
    """Whether the number belongs to a younger process, which it can only get once the group has ended."""
    try:
        return abs(_started_at(leader.pid) - leader.started_at) > 0.5
    except psutil.NoSuchProcess:
        return False


def _members(group: int) -> list[int]:
    """The processes of a group that have not ended."""
    found = []
    for pid in psutil.pids():
        with suppress(ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            if os.getpgid(pid) == group and not _has_ended(pid):
                found.append(pid)
    return found


def _has_ended(pid: int) -> bool:
    """Whether a process is a zombie down to its last thread; only then has it let go of its files and its GPU.

    The kernel calls a process a zombie as soon as its first thread has ended.
    """
    process = psutil.Process(pid)
    return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1


def memory_of_group(leader: Process) -> int:
    """What a child and everything it started hold of this machine's memory, in MiB; what they share counts once."""
    if is_gone(leader):
        return 0
    total = 0
    for pid in _members(leader.pid):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            memory = psutil.Process(pid).memory_full_info()
            total += getattr(memory, "pss", memory.rss)
    return total // 2**20
