"""Child processes: a fork server that has imported torch once starts each in tenths of a second; how each ended."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from competition.config.experiment import Config
from competition.errors import CompError
from competition.jobspec import Failed, Interrupted, JobSpec, Message, Progress, Succeeded
from competition.lifecycle import FailureKind
from competition.queue.processes import identify, kill_group, kills_for_memory, this_process
from competition.queue.reaper import finished_result
from competition.store.queue.attempts import Process

if TYPE_CHECKING:
    from competition.data.preview import Previewed, PreviewSpec

PRELOADED = ["competition.queue.preload", "competition.training.child", __name__]
"""The modules that the fork server imports: one that makes SIGTERM wait, all that a job needs, and this one, where
children begin."""
_LOST_STATUS = 255
"""The exit code in multiprocessing of a child whose fork server died before it could report the child's end."""


@dataclass
class Child:
    """A job's process and its last messages.

    Args:
        gate: the child waits until something comes through it, so that no job runs that the database does not know.
        memory_kills: how many processes the machine had killed for lack of memory when the child started.
    """

    spec: JobSpec
    process: ForkServerProcess
    identity: Process
    connection: Connection
    gate: Connection
    memory_kills: int | None
    has_begun: bool = False
    progress: Progress | None = None
    outcome: Succeeded | Failed | Interrupted | None = None

    def begin(self) -> None:
        """Let the child begin its job."""
        with suppress(BrokenPipeError):  # it has ended already; its exit code tells
            self.gate.send(None)
        self.has_begun = True

    def listen(self) -> None:
        """Read all messages that the child has sent so far."""
        try:
            while self.connection.poll():
                self._take(self.connection.recv())
        except (EOFError, OSError):
            return

    def ask_to_stop(self) -> None:
        """Ask the child to finish its batch, save and end."""
        if self.process.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.identity.pid, signal.SIGTERM)

    def end(self) -> bool:
        """Kill the child and all that it started; False if they may still be running."""
        self.listen()
        self.gate.close()
        gone = kill_group(self.identity)
        if gone:
            self.process.join(1.0)
        self.connection.close()
        return gone

    def _take(self, message: Message) -> None:
        if isinstance(message, Progress):
            self.progress = message
        else:
            self.outcome = message


def ending_of(child: Child) -> Succeeded | Failed | Interrupted:
    """How a child that is gone ended: its own message, else the result on disk, else the cause of its death."""
    outcome = child.outcome or finished_result(child.spec.job_paths, child.spec.token)
    if outcome is not None:
        return outcome
    kind, reason = _cause_of_death(child.process.exitcode, child.memory_kills)
    return Failed(child.spec.token, kind, reason)


def _cause_of_death(code: int | None, memory_kills: int | None) -> tuple[FailureKind, str]:
    if code is None or code == _LOST_STATUS:
        return FailureKind.LOST, "its process ended, and the fork server that knew how has ended too"
    if code >= 0:
        return FailureKind.CRASH, f"its process ended with exit code {code} and no result"
    name = signal.Signals(-code).name
    if name not in ("SIGKILL", "SIGTERM"):
        return FailureKind.CRASH, f"its process crashed with {name}"
    # The kernel's out-of-memory killer sends SIGKILL and counts it; the job's process is the likely one.
    now = kills_for_memory()
    if name == "SIGKILL" and (now is None or memory_kills is None or now > memory_kills):
        return FailureKind.MEMORY, "its process was ended by SIGKILL, most likely for lack of memory"
    return FailureKind.LOST, f"its process was ended from outside by {name}"


class ForkServer:
    """Starts children from one fork server, which ends with the process that started it."""

    def __init__(self) -> None:
        self._context = _warm_context()

    def warm(self) -> None:
        """Start the fork server now: its imports take seconds, and the first job would wait for them."""
        forkserver.ensure_running()

    def start(self, spec: JobSpec) -> Child:
        """A child that runs the job as soon as `begin` lets it.

        Raises:
            OSError: the machine cannot start a process now.
        """
        ours, theirs = self._context.Pipe(duplex=False)
        their_gate, gate = self._context.Pipe(duplex=False)
        name = f"comp {spec.experiment}"
        process = self._context.Process(target=_run_job, args=(spec, theirs, their_gate), name=name)
        memory_kills = kills_for_memory()
        process.start()
        theirs.close()
        their_gate.close()
        assert process.pid is not None
        return Child(spec, process, _identity(process.pid), ours, gate, memory_kills)

    def check_model(self, config: Config, *, root: Path, classes: int) -> None:
        """Build the experiment's model, with its weights, its optimiser and its augmentation in a child.

        Args:
            root: the competition's folder.
            classes: how many the model tells apart.

        Raises:
            CompError: it cannot be built; says why and what to choose instead.
        """
        self._ask(_check_model, config, root, classes)

    def preview(self, spec: "PreviewSpec") -> "list[Previewed]":
        """The images of `spec` before and after augmentation, made in a child.

        Raises:
            CompError: the augmentation or an image is not what it must be.
        """
        shown: list[Previewed] = self._ask(_preview, spec)
        return shown

    def _ask(self, target: Callable[..., None], *arguments: object) -> Any:
        """Call `target` in a child with the arguments and a connection; the answer, or the CompError that it sent."""
        ours, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=target, args=(*arguments, theirs))
        process.start()
        theirs.close()
        try:
            answer = ours.recv()
        except EOFError:
            answer = CompError("The child process ended without an answer.")
        finally:
            process.join()
            ours.close()
        if isinstance(answer, CompError):
            raise answer
        return answer


def _identity(pid: int) -> Process:
    try:
        return identify(pid)
    except psutil.NoSuchProcess:  # it has ended already; a start time of zero matches no process
        return replace(this_process(), pid=pid, started_at=0.0)


def _warm_context() -> ForkServerContext:
    """A context whose fork server makes runs with one seed repeatable."""
    # The fork server keeps the environment that it starts with, so these are set before.
    os.environ["PYTHONHASHSEED"] = "0"
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _run_job(spec: JobSpec, connection: Connection, gate: Connection) -> None:
    try:
        gate.recv()
    except EOFError:
        return  # the worker died before the database knew this process
    from competition.training.child import run

    run(spec, connection)


def _check_model(config: Config, root: Path, classes: int, connection: Connection) -> None:
    from competition.training.child import preflight

    preflight(config, connection, root, classes)


def _preview(spec: "PreviewSpec", connection: Connection) -> None:
    from competition.training.child import preview

    preview(spec, connection)
