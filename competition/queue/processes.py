"""Telling processes apart beyond doubt, and proving that one is gone."""

import os
import signal
import socket
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil

from competition.store.attempts import Process

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@cache
def boot_id() -> str:
    """What changes when this machine restarts."""
    return _BOOT_ID.read_text().strip() if _BOOT_ID.is_file() else str(psutil.boot_time())


def identify(pid: int) -> Process:
    """The identity of a process of this machine.

    Raises:
        psutil.NoSuchProcess: there is none.
    """
    return Process(socket.gethostname(), boot_id(), pid, psutil.Process(pid).create_time())


def this_process() -> Process:
    """The identity of the calling process."""
    return identify(os.getpid())


def is_gone(process: Process) -> bool:
    """Whether a process of this host is proven to have ended: a reboot, no such pid, or the pid used again."""
    if process.boot_id != boot_id():
        return True
    try:
        found = psutil.Process(process.pid)
        return found.status() == psutil.STATUS_ZOMBIE or abs(found.create_time() - process.started_at) > 1.0
    except psutil.NoSuchProcess:
        return True


def kill_group(process: Process, *, timeout_s: float = 10.0) -> bool:
    """End a child and everything it started (its loader processes).

    Returns:
        Whether the child is proven gone; a kill takes effect a moment later, so this waits for it.
    """
    if is_gone(process):
        return True
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + timeout_s
    while not is_gone(process) and time.monotonic() < deadline:
        time.sleep(0.02)
    return is_gone(process)
