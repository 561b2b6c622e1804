"""Children that start at once: real processes that speak the protocol of a job, without torch and without data."""

import faulthandler
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from competition.config.experiment import Config
from competition.config.settings import DataSettings, Settings
from competition.files import write_json
from competition.jobspec import Interrupted, JobSpec, Succeeded
from competition.queue.children import Child, ForkServer
from competition.queue.devices import Device
from competition.queue.processes import identify, kills_for_memory
from competition.queue.worker import Worker
from competition.store.engine import Store

SETTINGS = Settings(name="test", classes=("a", "b"), data=DataSettings(images="images", masks="masks"))
Work = Callable[[JobSpec, Connection], None]


class QuickForkServer(ForkServer):
    """Forks children that do what `work` says."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._fork = multiprocessing.get_context("fork")
        self.started: list[Child] = []

    def start(self, spec: JobSpec) -> Child:
        ours, theirs = self._fork.Pipe(duplex=False)
        their_gate, gate = self._fork.Pipe(duplex=False)
        process = self._fork.Process(target=_begin, args=(self._work, spec, theirs, their_gate, gate))
        kills = kills_for_memory()
        process.start()
        theirs.close()
        their_gate.close()
        assert process.pid is not None
        child = Child(spec, process, identify(process.pid), ours, gate, kills)  # type: ignore[arg-type]
        self.started.append(child)
        return child

    def check_model(self, config: Config, *, root: Path) -> None:
        """Any model will do."""


def _begin(work: Work, spec: JobSpec, connection: Connection, gate: Connection, others_end: Connection) -> None:
    others_end.close()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    with suppress(EOFError):
        gate.recv()
        os.setsid()
        work(spec, connection)


def succeed(spec: JobSpec, connection: Connection) -> None:
    """A job that has nothing to do."""
    connection.send(Succeeded(spec.token, None, 2.0, 1.0, 0.0, {}))


def finish_unheard(spec: JobSpec, connection: Connection) -> None:
    """A job that leaves its result and ends without a word."""
    left = Succeeded(spec.token, None, 2.0, 1.0, 0.0, {})
    write_json(spec.job_paths.result, left.to_json())


def hang(spec: JobSpec, connection: Connection) -> None:
    """A job that goes on until it is asked to stop, and has a loader process of its own."""
    loader = os.fork()
    if loader == 0:
        time.sleep(600)
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
    while not stopping:
        time.sleep(0.02)
    os.kill(loader, signal.SIGKILL)
    os.waitpid(loader, 0)
    connection.send(Interrupted(spec.token))


def crash(spec: JobSpec, connection: Connection) -> None:
    """A job whose library fails hard."""
    spec.job_paths.log.parent.mkdir(parents=True, exist_ok=True)
    spec.job_paths.log.write_text("loading\nCUDA error: an illegal memory access was encountered\n")
    faulthandler.disable()
    os.kill(os.getpid(), signal.SIGSEGV)


def device(name: str = "cpu") -> Device:
    return Device(name, name, "cpu")


def worker(store: Store, work: Work, *devices: str, **options: object) -> Worker:
    """A worker with quick children."""
    found = [device(name) for name in devices or ("cpu",)]
    return Worker(store, SETTINGS, found, QuickForkServer(work), **options)  # type: ignore[arg-type]


def group_of(pid: int) -> list[int]:
    """The processes of a group that run."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getpgid(process.pid) == pid and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def wait_for(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
