"""A child process's entry points: it is forked from a process that has imported all this already."""

import errno
import os
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from types import FrameType

import torch

from competition.config import Config
from competition.errors import CompError, DataError
from competition.jobspec import Failed, Interrupted, JobSpec, Message, Progress
from competition.lifecycle import FailureKind
from competition.training import recipe
from competition.training.failures import JobError, StoppedError
from competition.training.model import build

ANY_CLASSES = 2
"""A model that only has to be proven buildable needs some number of classes."""


def run(spec: JobSpec, connection: Connection) -> None:
    """Run one job: progress goes through the connection, then one `Succeeded`, `Failed` or `Interrupted`.

    What is printed goes to the job's log. SIGTERM, or a worker that is gone, lets the job save itself and end.
    """
    os.setsid()
    os.environ.update(spec.environment)
    _print_to(spec)
    asked = _Asked()
    signal.signal(signal.SIGTERM, asked)
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def report(progress: Progress) -> None:
        if not _send(connection, progress):
            asked.to_stop = True

    _send(connection, _outcome(spec, report, asked))


def preflight(config: Config, connection: Connection) -> None:
    """Build the model with its weights; sends None if that works, else the CompError that says why not."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    try:
        build(config.model, ANY_CLASSES)
    except CompError as error:
        connection.send(error)
    else:
        connection.send(None)


class _Asked:
    """Whether the job was asked to stop."""

    def __init__(self) -> None:
        self.to_stop = False

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        self.to_stop = True


def _outcome(spec: JobSpec, report: recipe.Report, asked: _Asked) -> Message:
    try:
        return recipe.train(spec, report=report, stop=lambda: asked.to_stop)
    except StoppedError:
        print("Stopped; the checkpoint is saved.")
        return Interrupted(spec.token)
    except JobError as error:
        return _failed(spec, error.kind, str(error))
    except DataError as error:
        return _failed(spec, FailureKind.DATA, str(error))
    except CompError as error:
        return _failed(spec, FailureKind.USER, str(error))
    except (torch.OutOfMemoryError, MemoryError) as error:
        return _failed(spec, FailureKind.MEMORY, f"out of memory: {_last_line(error)}")
    except OSError as error:
        traceback.print_exc()
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return _failed(spec, FailureKind.DISK if full else FailureKind.CRASH, _last_line(error))
    except Exception as error:  # noqa: BLE001 - the child's boundary: whatever it is, the log has it and the job has failed
        traceback.print_exc()
        return _failed(spec, FailureKind.CRASH, _last_line(error))


def _failed(spec: JobSpec, kind: FailureKind, reason: str) -> Failed:
    print(f"Failed ({kind}): {reason}")
    return Failed(spec.token, kind, reason)


def _last_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def _send(connection: Connection, message: Message) -> bool:
    """Whether the worker is still there to hear it."""
    try:
        connection.send(message)
    except (BrokenPipeError, ConnectionError):
        return False
    return True


def _print_to(spec: JobSpec) -> None:
    """Everything printed from here on, by whatever library, goes to the job's log."""
    log = spec.job_paths.log
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", closefd=False)
