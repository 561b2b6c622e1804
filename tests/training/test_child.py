import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import psutil
import pytest
import torch

from competition.config.experiment import Config, ModelConfig
from competition.errors import ConfigError, UnknownNameError
from competition.jobspec import Failed, Interrupted, JobSpec, Message, Progress, Succeeded
from competition.lifecycle import FailureKind
from competition.queue.children import PRELOADED
from competition.training import recipe
from competition.training.child import preflight, run
from competition.training.dataset import TrainingImages, load_batches, plan_batches
from competition.training.job_data import load_job_data
from competition.training.reporting import StoppedError
from tests.training.conftest import Listener, Specs
from tests.training.conftest import run as run_here
from tests.training.test_recipe import assert_same_job

LONG = "train.epochs=160"
"""A job that does not end before somebody ends it."""


@pytest.fixture(scope="module")
def warm() -> ForkServerContext:
    """A server that forks children which have imported everything, as a worker has it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


class Started:
    """A job's process and the worker's end of its pipe."""

    def __init__(self, context: ForkServerContext, spec: JobSpec, target: Callable[..., None] = run) -> None:
        self.connection, theirs = context.Pipe(duplex=False)
        self.process = context.Process(target=target, args=(spec, theirs))
        self.process.start()
        theirs.close()

    def messages(self) -> list[Message]:
        """Everything that it says until it ends."""
        messages = []
        while True:
            try:
                messages.append(self.connection.recv())
            except EOFError:
                self.process.join(30)
                return messages

    def wait_for(self, *, epoch: int) -> None:
        """Listen until the job is in this epoch or a later one."""
        while True:
            message = self.connection.recv()
            assert isinstance(message, Progress), "the job ended before it could be disturbed"
            if message.phase != "cache" and message.epoch >= epoch:
                return

    def stop(self, send: Callable[[int, int], None] = os.kill) -> None:
        """What a worker does to end a job early; with `os.killpg`, what a supervisor may do."""
        assert self.process.pid is not None
        send(self.process.pid, signal.SIGTERM)

    def group(self) -> list[int]:
        """Which processes of its group are at work."""
        pids = []
        for process in psutil.process_iter(["pid", "status"]):
            try:
                is_member = os.getpgid(process.pid) == self.process.pid
            except ProcessLookupError:
                continue
            if is_member and process.info["status"] != psutil.STATUS_ZOMBIE:
                pids.append(process.pid)
        return pids


def wait_until_gone(process: ForkServerProcess) -> None:
    process.join(60)
    assert process.exitcode is not None


def test_progress_comes_first_and_the_result_once(warm: ForkServerContext, spec_of: Specs) -> None:
    spec = spec_of()
    started = Started(warm, spec)
    *progress, last = started.messages()
    assert isinstance(last, Succeeded)
    assert last.token == "token"
    assert progress
    assert all(isinstance(message, Progress) for message in progress)
    assert started.process.exitcode == 0
    log = spec.job_paths.log.read_text()
    assert log.startswith(f"--- {spec.experiment}, fold job, fold 0, attempt token\n")
    assert "epoch 2/2: loss" in log


def test_a_child_is_a_process_group_of_its_own(warm: ForkServerContext, spec_of: Specs) -> None:
    started = Started(warm, spec_of(LONG))
    started.wait_for(epoch=1)
    pid = started.process.pid
    assert pid is not None
    assert os.getpgid(pid) == pid
    os.killpg(pid, signal.SIGKILL)
    wait_until_gone(started.process)


@pytest.fixture(scope="module")
def undisturbed(warm: ForkServerContext, spec_of: Specs) -> JobSpec:
    """A child's job of 16 epochs that ran from start to end. Only to be read."""
    spec = spec_of("train.epochs=16", "train.workers=0")
    assert isinstance(Started(warm, spec).messages()[-1], Succeeded)
    return spec


@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_sigterm_saves_and_the_next_attempt_goes_on(
    send: Callable[[int, int], None], warm: ForkServerContext, spec_of: Specs, undisturbed: JobSpec
) -> None:
    spec = spec_of("train.epochs=16", "train.workers=2")
    started = Started(warm, spec)
    started.wait_for(epoch=2)
    asked = time.monotonic()
    started.stop(send)
    assert started.messages()[-1] == Interrupted("token")
    assert time.monotonic() - asked < 10
    assert not started.group()
    assert spec.job_paths.checkpoint.is_file()
    assert isinstance(Started(warm, replace(spec, token="next")).messages()[-1], Succeeded)
    assert "Resuming at epoch" in spec.job_paths.log.read_text()
    assert_same_job(spec, undisturbed)


def test_a_supervisor_that_signals_every_process_lets_jobs_save(warm: ForkServerContext, spec_of: Specs) -> None:
    """The fork server among them: without it nobody would know how its children ended."""
    started = Started(warm, spec_of(LONG))
    started.wait_for(epoch=1)
    server = psutil.Process(started.process.pid).ppid()
    assert server != os.getpid()
    os.kill(server, signal.SIGTERM)
    started.stop(os.killpg)
    assert started.messages()[-1] == Interrupted("token")
    assert started.process.exitcode == 0
    assert isinstance(Started(warm, spec_of()).messages()[-1], Succeeded)  # by the same server
    assert psutil.pid_exists(server)


def test_a_killed_job_goes_on_from_its_last_epoch(warm: ForkServerContext, spec_of: Specs) -> None:
    spec = spec_of("train.epochs=16", "train.workers=1")
    started = Started(warm, spec)
    started.wait_for(epoch=2)
    assert started.process.pid is not None
    os.killpg(started.process.pid, signal.SIGKILL)
    wait_until_gone(started.process)
    assert isinstance(Started(warm, spec).messages()[-1], Succeeded)
    assert "Resuming at epoch" in spec.job_paths.log.read_text()


def test_the_loaders_workers_end_when_the_job_is_killed_alone(warm: ForkServerContext, spec_of: Specs) -> None:
    started = Started(warm, spec_of(LONG, "train.workers=2"))
    started.wait_for(epoch=1)
    assert started.process.pid is not None
    assert len(started.group()) == 3
    os.kill(started.process.pid, signal.SIGKILL)
    wait_until_gone(started.process)
    deadline = time.monotonic() + 30
    while started.group():
        assert time.monotonic() < deadline
        time.sleep(0.05)


still_held: list[object] = []


def exit_with_a_loader(spec: JobSpec, _connection: Connection) -> None:
    """End while something still refers to the loader, as a traceback may."""
    data = load_job_data(spec, Listener().reporter)
    wanted = plan_batches(data.train, seed=1, batch_size=4, epochs=2)
    batches = load_batches(TrainingImages(data.cache, spec.config), wanted, workers=2, device=torch.device("cpu"))
    still_held.append(batches)
    next(batches)


def test_a_process_that_still_holds_its_loader_ends(warm: ForkServerContext, spec_of: Specs) -> None:
    started = Started(warm, spec_of(), exit_with_a_loader)
    wait_until_gone(started.process)
    assert started.process.exitcode == 0


def run_where_files_must_be_small(spec: JobSpec, connection: Connection) -> None:
    """Half a MiB each: a checkpoint is larger, so that writing it fails in the middle, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**19, 2**19))
    run(spec, connection)


def test_a_full_disk_leaves_the_last_checkpoint_and_the_job_goes_on(
    warm: ForkServerContext, spec_of: Specs, whole: JobSpec
) -> None:
    spec = spec_of()
    with pytest.raises(StoppedError):
        run_here(spec, stop_at=("train", 2))
    before = spec.job_paths.checkpoint.read_bytes()
    assert len(before) > 2**19
    last = Started(warm, spec, run_where_files_must_be_small).messages()[-1]
    assert isinstance(last, Failed)
    assert last.kind is FailureKind.DISK
    assert "comp retry" in last.reason
    assert spec.job_paths.checkpoint.read_bytes() == before
    assert not list(spec.job_paths.folder.glob("*.tmp"))
    assert isinstance(Started(warm, replace(spec, token="next")).messages()[-1], Succeeded)
    assert_same_job(spec, whole)


def test_a_log_that_cannot_be_begun_is_a_full_disk(warm: ForkServerContext, spec_of: Specs) -> None:
    spec = spec_of()
    spec.job_paths.folder.mkdir(parents=True)
    spec.job_paths.log.symlink_to("/dev/full")
    last = Started(warm, spec).messages()[-1]
    assert isinstance(last, Failed)
    assert last.kind is FailureKind.DISK


def run_until_the_log_is_full(error: Exception, spec: JobSpec, connection: Connection) -> None:
    """The job ends with `error`, and nothing that is said about it can be written."""

    def train(*_: object) -> Succeeded:
        sys.stdout = sys.stderr = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115 - the process ends with it
        raise error

    recipe.train = train
    run(spec, connection)


@pytest.mark.parametrize(
    ("error", "ends_as"),
    [
        (StoppedError(), Interrupted("token")),
        (ConfigError("no such encoder"), Failed("token", FailureKind.USER, "no such encoder")),
        (ValueError("what"), Failed("token", FailureKind.CRASH, "ValueError: what")),
    ],
)
def test_a_log_that_is_full_does_not_change_how_a_job_ends(
    error: Exception, ends_as: Message, warm: ForkServerContext, spec_of: Specs
) -> None:
    assert Started(warm, spec_of(), partial(run_until_the_log_is_full, error)).messages() == [ends_as]


def test_a_worker_that_is_gone_stops_the_job(warm: ForkServerContext, spec_of: Specs) -> None:
    spec = spec_of(LONG)
    started = Started(warm, spec)
    started.wait_for(epoch=1)
    started.connection.close()
    wait_until_gone(started.process)
    assert started.process.exitcode == 0
    assert spec.job_paths.checkpoint.is_file()
    assert "The worker is gone" in spec.job_paths.log.read_text()


def test_a_worker_that_does_not_listen_does_not_hold_the_job_up(warm: ForkServerContext, spec_of: Specs) -> None:
    spec = spec_of()
    started = Started(warm, spec)
    deadline = time.monotonic() + 120
    while not spec.job_paths.result.is_file():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert isinstance(started.messages()[-1], Succeeded)


def test_a_user_error_is_named_without_a_traceback(warm: ForkServerContext, spec_of: Specs) -> None:
    spec = spec_of("model.encoder=resnet19")
    last = Started(warm, spec).messages()[-1]
    assert isinstance(last, Failed)
    assert last.kind is FailureKind.USER
    assert "There is no encoder 'resnet19'. Did you mean" in last.reason
    assert "Traceback" not in spec.job_paths.log.read_text()


def test_missing_folds_are_a_failure_of_the_data(warm: ForkServerContext, spec_of: Specs) -> None:
    spec = spec_of()
    last = Started(warm, replace(spec, split_version=99)).messages()[-1]
    assert isinstance(last, Failed)
    assert last.kind is FailureKind.DATA
    assert "folds-v99.csv" in last.reason


def test_a_crash_leaves_its_traceback_in_the_log(warm: ForkServerContext, spec_of: Specs) -> None:
    spec = replace(spec_of(), device="no such device")
    last = Started(warm, spec).messages()[-1]
    assert isinstance(last, Failed)
    assert last.kind is FailureKind.CRASH
    assert "Traceback (most recent call last)" in spec.job_paths.log.read_text()


def answer(context: ForkServerContext, model: ModelConfig) -> object:
    """What a preflight says of a model."""
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=preflight, args=(Config(model=model), theirs, Path(), 2))
    process.start()
    theirs.close()
    answered = ours.recv()
    process.join()
    return answered


def test_preflight_accepts_a_model_that_can_be_built(warm: ForkServerContext) -> None:
    assert answer(warm, ModelConfig(encoder="resnet18", weights="none")) is None


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (ModelConfig(architecture="Unett", weights="none"), UnknownNameError),
        (ModelConfig(encoder="resnet19", weights="none"), UnknownNameError),
        (ModelConfig(encoder="resnet18", weights="offline"), ConfigError),
        (ModelConfig(encoder="resnet18", weights="nowhere.safetensors"), ConfigError),
    ],
)
def test_preflight_says_why_a_model_cannot_be_built(
    model: ModelConfig, kind: type[Exception], warm: ForkServerContext
) -> None:
    assert type(answer(warm, model)) is kind


def test_messages_survive_the_pipe() -> None:
    """The worker unpickles what the child sends."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    assert isinstance(theirs, Connection)
    sent = Failed("token", FailureKind.GATE, "reason")
    theirs.send(sent)
    assert ours.recv() == sent
