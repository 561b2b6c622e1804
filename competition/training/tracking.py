"""Trackers (TensorBoard, MLflow) that competition.yaml asks for; they get each epoch, and no result depends on them."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import asdict

from competition.config.trackers import Tracker, require
from competition.jobspec import JobSpec
from competition.training.history import Row

LogEpoch = Callable[[Row], None]
"""Records an epoch."""


@contextmanager
def tracking(spec: JobSpec) -> Iterator[LogEpoch]:
    """A function that records the job's epochs while the block runs; it does nothing without trackers.

    A tracker that fails is named once in the log and gets no more epochs.

    Raises:
        ConfigError: a tracker's package is not installed.
    """
    require(spec.settings.log)
    trackers = [_SafeTracker(tracker, spec) for tracker in spec.settings.log]

    def record(row: Row) -> None:
        for tracker in trackers:
            tracker.record(row)

    try:
        yield record
    finally:
        for tracker in trackers:
            tracker.close()


class _SafeTracker:
    """A tracker whose errors do not stop the job."""

    def __init__(self, tracker: Tracker, spec: JobSpec) -> None:
        self._tracker, self._spec = tracker, spec
        self._opened = ExitStack()
        self._log_epoch: LogEpoch | None = None
        self._has_failed = False

    def record(self, row: Row) -> None:
        if self._has_failed:
            return
        try:
            # opened only now: trackers start threads, and the loader's workers, which are forks, must come first
            if self._log_epoch is None:
                self._log_epoch = self._opened.enter_context(_OPEN[self._tracker](self._spec, row.epoch))
            self._log_epoch(row)
        except Exception as error:  # noqa: BLE001 - errors of a package or a server, of any type
            self._fail(error)

    def close(self) -> None:
        """Close the tracker; call it while the error that ends the job is handled, so that the tracker sees it."""
        ending = sys.exc_info()
        try:
            self._opened.__exit__(*ending)
        except Exception as error:  # noqa: BLE001 - as above
            if error is not ending[1]:
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._has_failed = True
        print(f"{self._tracker} records no more of this job: {type(error).__name__}: {error}", flush=True)


@contextmanager
def _tensorboard(spec: JobSpec, first: int) -> Iterator[LogEpoch]:
    """Write event files into the job's folder; purge what an earlier attempt wrote from epoch `first` on."""
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(spec.job_paths.tensorboard), purge_step=first) as writer:

        def record(row: Row) -> None:
            for key, value in _metrics(row).items():
                writer.add_scalar(key, value, row.epoch)
            writer.flush()

        yield record


@contextmanager
def _mlflow(spec: JobSpec, _first: int) -> Iterator[LogEpoch]:
    """Make a run for this attempt, under the competition's name, at MLFLOW_TRACKING_URI or else in runs/."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{spec.paths.mlflow}")
    experiment = client.get_experiment_by_name(spec.settings.name)
    if experiment is None:
        with suppress(MlflowException):  # another job has just created it
            client.create_experiment(spec.settings.name)
        experiment = client.get_experiment_by_name(spec.settings.name)
    name = f"{spec.experiment} {spec.job_paths.folder.name}"
    run = client.create_run(experiment.experiment_id, run_name=name, tags={"comp.token": spec.token}).info.run_id
    for key, value in spec.config.leaves().items():
        client.log_param(run, key, value)

    def record(row: Row) -> None:
        for key, value in _metrics(row).items():
            client.log_metric(run, key, value, step=row.epoch)

    status = "FAILED"
    try:
        yield record
        status = "FINISHED"
    finally:
        client.set_terminated(run, status)


_OPEN: dict[Tracker, Callable[[JobSpec, int], AbstractContextManager[LogEpoch]]] = {
    Tracker.TENSORBOARD: _tensorboard,
    Tracker.MLFLOW: _mlflow,
}


def _metrics(row: Row) -> dict[str, float]:
    return {key: value for key, value in asdict(row).items() if key != "epoch"}
