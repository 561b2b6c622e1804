"""Warm child processes: a fork server that has imported torch once starts each job in tenths of a second."""

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
from competition.queue.processes import identify, kill_group, kills_for_memory, this_process
from competition.store.queue.attempts import Process

if TYPE_CHECKING:
    from competition.data.preview import Previewed, PreviewSpec

PRELOADED = ["competition.queue.preload", "competition.training.child", __name__]
"""What the fork server imports: that SIGTERM waits, all that a job needs, and this module, where children begin."""


@dataclass
class Child:
    """A job's process and what it said last.

    Args:
        gate: the child waits until something comes through it, so that no job runs that the database does not know.
        memory_kills: how many processes the machine had ended for lack of memory when the child started.
    """

    spec: JobSpec
    process: ForkServerProcess
    identity: Process
    connection: Connection
    gate: Connection
    memory_kills: int | None
    is_let_go: bool = False
    progress: Progress | None = None
    outcome: Succeeded | Failed | Interrupted | None = None

    def let_go(self) -> None:
        """Let the child begin."""
        with suppress(BrokenPipeError):  # it has ended already, which shows elsewhere
            self.gate.send(None)
        self.is_let_go = True

    def listen(self) -> None:
        """Take in everything that the child has said so far."""
        try:
            while self.connection.poll():
                self._hear(self.connection.recv())
        except (EOFError, OSError):
            return

    def ask_to_stop(self) -> None:
        """Let the child finish its batch, save and end."""
        if self.process.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.identity.pid, signal.SIGTERM)

    def end(self) -> bool:
        """Kill the child and what it started; whether they are proven gone."""
        self.listen()
        self.gate.close()
        gone = kill_group(self.identity)
        if gone:
            self.process.join(1.0)
        self.connection.close()
        return gone

    def _hear(self, message: Message) -> None:
        if isinstance(message, Progress):
            self.progress = message
        else:
            self.outcome = message


class ForkServer:
    """Starts children from one fork server, which ends with the process that made it."""

    def __init__(self) -> None:
        self._context = _warm_context()

    def warm(self) -> None:
        """Start the fork server now: it imports for some seconds, for which the first job would wait."""
        forkserver.ensure_running()

    def start(self, spec: JobSpec) -> Child:
        """A child that runs the job once it is let go.

        Raises:
            OSError: the machine can start no process now.
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
        """What a child answers that gets the arguments and a connection; a CompError is raised."""
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
    """The fork server takes its environment from the moment it starts; what seeds depend on is fixed here."""
    os.environ["PYTHONHASHSEED"] = "0"
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _run_job(spec: JobSpec, connection: Connection, gate: Connection) -> None:
    try:
        gate.recv()
    except EOFError:
        return  # the worker died before it could write down that this process exists
    from competition.training.child import run

    run(spec, connection)


def _check_model(config: Config, root: Path, classes: int, connection: Connection) -> None:
    from competition.training.child import preflight

    preflight(config, connection, root, classes)


def _preview(spec: "PreviewSpec", connection: Connection) -> None:
    from competition.training.child import preview

    preview(spec, connection)
