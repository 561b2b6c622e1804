"""A child process's entry points: it is forked from a process that has imported all this already."""

import faulthandler
import os
import select
import signal
import sys
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from competition.config.experiment import Config
from competition.data.preview import PreviewSpec
from competition.errors import CompError
from competition.jobspec import Failed, Interrupted, JobSpec, Message, Progress
from competition.lifecycle import FailureKind
from competition.training import recipe
from competition.training.augmenting import augment
from competition.training.augmenting.preview import previews
from competition.training.failures import classify
from competition.training.network.model import build, check_sizes, encoder_of
from competition.training.optim import make_optimizer
from competition.training.reporting import Reporter, StoppedError


def run(spec: JobSpec, connection: Connection) -> None:
    """Run one job: `Progress` goes through the connection, then one `Succeeded`, `Failed` or `Interrupted`.

    The process becomes a group of its own, and what it prints goes to the job's log. SIGTERM, or a worker that is gone,
    lets the job finish its batch, save itself and end.
    """
    os.setsid()
    os.environ.update(spec.environment)
    reporter = Reporter(send=lambda progress: _offer(connection, progress))
    signal.signal(signal.SIGTERM, lambda _signal, _frame: reporter.stop())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # which has waited since the fork server was made
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    outcome = _outcome(spec, reporter)
    try:
        connection.send(outcome)
    except OSError:
        _say("The worker is gone; the result is on disk.")


def preflight(config: Config, connection: Connection, root: Path, classes: int) -> None:
    """Build the model with its weights and its optimiser, and try its augmentation and its sizes of images.

    Sends None, or the CompError that says why it cannot be.

    Args:
        root: the competition's folder.
        classes: how many the model tells apart.
    """
    _without_a_device()
    try:
        for size in (config.train_size, *config.sampling.sizes):
            augment.check(config.augment, size)
        network = build(config.model, classes=classes, root=root, size=config.train_size)
        make_optimizer(config.optimizer, network)
        if config.model.freeze_epochs:
            encoder_of(network, "model.freeze_epochs")
        if config.model.target is None:
            check_sizes(network, config)
    except CompError as error:
        connection.send(error)
    else:
        connection.send(None)


def preview(spec: PreviewSpec, connection: Connection) -> None:
    """Send the images of `spec` before and after augmentation, a list of `Previewed`, or why not, a CompError."""
    _without_a_device()
    try:
        connection.send(previews(spec))
    except CompError as error:
        connection.send(error)


def _without_a_device() -> None:
    """A child that has nothing to save computes on the CPU and ends when it is told to."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _outcome(spec: JobSpec, reporter: Reporter) -> Message:
    try:
        _print_to(spec.job_paths.log)
        print(f"--- {spec.experiment}, {spec.kind} job, fold {spec.fold}, attempt {spec.token}", flush=True)
        return recipe.train(spec, reporter)
    except StoppedError:
        _say("Stopped; what was done is saved.")
        return Interrupted(spec.token)
    except Exception as error:  # noqa: BLE001 - this is the child's boundary: the log gets it all, the worker its gist
        kind, reason = classify(error)
        if kind is FailureKind.CRASH:
            _say(traceback.format_exc().rstrip())
        _say(f"Failed ({kind}): {reason}")
        return Failed(spec.token, kind, reason)


def _say(words: str) -> None:
    """Print how the job ended, which is so whether or not the disk has room for the words."""
    with suppress(OSError):
        print(words, flush=True)


def _offer(connection: Connection, progress: Progress) -> bool:
    """Send if there is room, as a worker that is suspended must not stop the job; False if nobody listens any more."""
    try:
        if select.select([], [connection], [], 0)[1]:
            connection.send(progress)
    except OSError:
        return False
    return True


def _print_to(log: Path) -> None:
    """Everything printed from here on, by whatever library, goes to the end of the job's log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", closefd=False)
    faulthandler.enable()
