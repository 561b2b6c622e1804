"""The entry points of a child process, which is forked from a process that has imported all this already."""

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
from competition.training.augmenting.checks import check_augmentation
from competition.training.failures import classify
from competition.training.network.model import build_network, check_sizes, encoder_of
from competition.training.optim import make_optimizer
from competition.training.preview import previews
from competition.training.reporting import Reporter, StoppedError


def run(spec: JobSpec, connection: Connection) -> None:
    """Run one job: send `Progress` through the connection, then one `Succeeded`, `Failed` or `Interrupted`.

    The process becomes a group of its own, and its output goes to the job's log. On SIGTERM, or when the worker is
    gone, the job finishes its batch, saves itself and ends.
    """
    os.setsid()
    os.environ.update(spec.environment)
    reporter = Reporter(send=lambda progress: _send_progress(connection, progress))
    signal.signal(signal.SIGTERM, lambda _signal, _frame: reporter.stop())
    # The fork server blocks SIGTERM, so one that came before this handler has waited and is delivered now.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker handles Ctrl-C, and asks for the end with SIGTERM
    outcome = _outcome(spec, reporter)
    try:
        connection.send(outcome)
    except OSError:
        _log("The worker is gone; the result is on disk.")


def preflight(config: Config, connection: Connection, root: Path, classes: int) -> None:
    """Build the model with its weights and its optimiser; try its augmentation and its image sizes.

    Sends None, or the CompError that explains the failure.

    Args:
        root: the competition's folder.
        classes: number of classes that the model predicts.
    """
    _use_cpu_only()
    try:
        for size in (config.train_size, *config.sampling.sizes):
            check_augmentation(config.augment, size)
        network = build_network(config.model, classes=classes, root=root, size=config.train_size)
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
    """Send the images of `spec` before and after augmentation, a list of `Previewed`; or the CompError of a failure."""
    _use_cpu_only()
    try:
        connection.send(previews(spec))
    except CompError as error:
        connection.send(error)


def _use_cpu_only() -> None:
    """Hide the GPUs, and let SIGTERM end the process: it has nothing to save."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _outcome(spec: JobSpec, reporter: Reporter) -> Message:
    try:
        _redirect_output(spec.job_paths.log)
        print(f"--- {spec.experiment}, {spec.kind} job, fold {spec.fold}, attempt {spec.token}", flush=True)
        return recipe.train(spec, reporter)
    except StoppedError:
        _log("Stopped; the progress is saved.")
        return Interrupted(spec.token)
    except Exception as error:  # noqa: BLE001 - the boundary of the child: the log gets everything, the worker a summary
        kind, reason = classify(error)
        if kind is FailureKind.CRASH:
            _log(traceback.format_exc().rstrip())
        _log(f"Failed ({kind}): {reason}")
        return Failed(spec.token, kind, reason)


def _log(text: str) -> None:
    """Print the text to the log; do nothing if the disk is full."""
    with suppress(OSError):
        print(text, flush=True)


def _send_progress(connection: Connection, progress: Progress) -> bool:
    """Send progress unless the pipe is full; False if the worker is gone."""
    try:
        # A send into a full pipe blocks, and a suspended worker must not stop the job.
        if select.select([], [connection], [], 0)[1]:
            connection.send(progress)
    except OSError:
        return False
    return True


def _redirect_output(log: Path) -> None:
    """Append everything that this process prints from here on, by any library, to the job's log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    # the descriptors, not only sys.stdout: C libraries and the loader's workers write to 1 and 2
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", closefd=False)
    faulthandler.enable()
