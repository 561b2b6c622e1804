"""Handing each epoch on to the trackers that competition.yaml asks for; no result depends on them."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import asdict

from competition.config.trackers import Tracker, require
from competition.jobspec import JobSpec
from competition.training.history import Row

Sink = Callable[[Row], None]
"""Records an epoch."""


@contextmanager
def tracking(spec: JobSpec) -> Iterator[Sink]:
    """What records the job's epochs while the block runs; it does nothing where nobody asked for a tracker.

    Trackers are opened at the first epoch, as they start threads, and the loader's workers are forks. One that fails is
    said once in the log, and gets no more.

    Raises:
        ConfigError: a tracker's package is not installed.
    """
    require(spec.settings.log)
    tracked = [_Tracked(tracker, spec) for tracker in spec.settings.log]

    def record(row: Row) -> None:
        for one in tracked:
            one.record(row)

    try:
        yield record
    finally:
        for one in tracked:
            one.close()


class _Tracked:
    """One tracker, whose errors are its own."""

    def __init__(self, tracker: Tracker, spec: JobSpec) -> None:
        self._tracker, self._spec = tracker, spec
        self._opened = ExitStack()
        self._sink: Sink | None = None
        self._has_failed = False

    def record(self, row: Row) -> None:
        if self._has_failed:
            return
        try:
            if self._sink is None:
                self._sink = self._opened.enter_context(_OPEN[self._tracker](self._spec, row.epoch))
            self._sink(row)
        except Exception as error:  # noqa: BLE001 - a package's or a server's, whatever it is
            self._fail(error)

    def close(self) -> None:
        """Within the handling of whatever ends the job, which the tracker is told of."""
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
def _tensorboard(spec: JobSpec, first: int) -> Iterator[Sink]:
    """Event files in the job's folder; what an attempt before this one wrote from its `first` epoch on is purged."""
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(spec.job_paths.tensorboard), purge_step=first) as writer:

        def record(row: Row) -> None:
            for key, value in _numbers(row).items():
                writer.add_scalar(key, value, row.epoch)
            writer.flush()

        yield record


@contextmanager
def _mlflow(spec: JobSpec, _first: int) -> Iterator[Sink]:
    """A run for each attempt, under the competition's name, where MLFLOW_TRACKING_URI says, or else in runs/."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{spec.paths.mlflow}")
    found = client.get_experiment_by_name(spec.settings.name)
    if found is None:
        with suppress(MlflowException):  # somebody else makes it at the same time
            client.create_experiment(spec.settings.name)
        found = client.get_experiment_by_name(spec.settings.name)
    experiment = found.experiment_id
    name = f"{spec.experiment} {spec.job_paths.folder.name}"
    run = client.create_run(experiment, run_name=name, tags={"comp.token": spec.token}).info.run_id
    for key, value in spec.config.leaves().items():
        client.log_param(run, key, value)

    def record(row: Row) -> None:
        for key, value in _numbers(row).items():
            client.log_metric(run, key, value, step=row.epoch)

    ended = "FAILED"
    try:
        yield record
        ended = "FINISHED"
    finally:
        client.set_terminated(run, ended)


_OPEN: dict[Tracker, Callable[[JobSpec, int], AbstractContextManager[Sink]]] = {
    Tracker.TENSORBOARD: _tensorboard,
    Tracker.MLFLOW: _mlflow,
}


def _numbers(row: Row) -> dict[str, float]:
    return {key: value for key, value in asdict(row).items() if key != "epoch"}
