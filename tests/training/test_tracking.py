"""Trackers beside history.csv; those that are not installed here are skipped, and what comp says then is tested."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from competition.config.settings import read_settings
from competition.config.trackers import Tracker
from competition.errors import ConfigError
from competition.jobspec import JobSpec
from competition.training import tracking
from competition.training.history import Row
from competition.training.reporting import StoppedError
from tests.training.conftest import SETTINGS, Specs, run
from tests.training.test_recipe import assert_same_job

KEYS = {"train_loss", "score", "lr", "seconds", "images_per_s"}


def tracked(spec: JobSpec, *trackers: Tracker) -> JobSpec:
    return replace(spec, settings=SETTINGS.model_copy(update={"log": trackers}))


def rows(spec: JobSpec) -> list[dict[str, str]]:
    return list(csv.DictReader(spec.job_paths.history.read_text().splitlines()))


def test_trackers_are_named_in_competition_yaml_and_lock_nothing(tmp_path: Path) -> None:
    path = tmp_path / "competition.yaml"
    text = "name: shapes\nclasses: [a, b]\ndata: {images: images, masks: masks}\n"
    path.write_text(text)
    before = read_settings(path)
    path.write_text(text + "log: [tensorboard, mlflow]\n")
    after = read_settings(path)
    assert (before.log, after.log) == ((), (Tracker.TENSORBOARD, Tracker.MLFLOW))
    assert after.locked == before.locked
    path.write_text(text + "log: [tensorbord]\n")
    with pytest.raises(ConfigError, match=r"log\.0: 'tensorbord' is wrong: .*'tensorboard' or 'mlflow'"):
        read_settings(path)


@pytest.mark.parametrize("tracker", list(Tracker))
def test_a_tracker_that_is_not_installed_is_one_clear_error(tracker: Tracker, spec_of: Specs) -> None:
    if find_spec(tracker):
        pytest.skip(f"{tracker} is installed")
    spec = tracked(spec_of(), tracker)
    with pytest.raises(ConfigError, match=f"asks for {tracker}") as caught:
        run(spec)
    assert caught.value.hint == f"pip install 'competition[{tracker}]', or take it out of log."
    assert not spec.job_paths.folder.exists()


def test_event_files_hold_every_epoch_once(spec_of: Specs) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    plain, spec = spec_of("train.epochs=3"), tracked(spec_of("train.epochs=3"), Tracker.TENSORBOARD)
    run(plain)
    with pytest.raises(StoppedError):
        run(spec, stop_at=("validate", 5))  # in the second epoch, whose training is not repeated
    run(spec)
    assert_same_job(plain, spec)
    events = EventAccumulator(str(spec.job_paths.tensorboard)).Reload()
    assert set(events.Tags()["scalars"]) == KEYS
    for key in KEYS:
        scalars = events.Scalars(key)
        assert [event.step for event in scalars] == [1, 2, 3]
        assert [event.value for event in scalars] == pytest.approx([float(row[key]) for row in rows(spec)], rel=1e-4)


@pytest.mark.filterwarnings("ignore")  # MLflow uses what SQLAlchemy deprecates
def test_mlflow_has_a_run_for_each_attempt(spec_of: Specs, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    spec = tracked(spec_of(), Tracker.MLFLOW)
    run(spec)
    client = mlflow.MlflowClient(f"sqlite:///{spec.paths.mlflow}")
    experiment = client.get_experiment_by_name("shapes")
    (attempt,) = client.search_runs([experiment.experiment_id])
    assert attempt.info.status == "FINISHED"
    assert attempt.data.params["train.batch_size"] == "4"
    history = client.get_metric_history(attempt.info.run_id, "train_loss")
    assert [metric.step for metric in history] == [1, 2]
    assert [m.value for m in history] == pytest.approx([float(row["train_loss"]) for row in rows(spec)], rel=1e-4)


@pytest.mark.parametrize("fails_at", ["open", "record", "close"])
def test_a_tracker_that_fails_costs_no_result(
    fails_at: str, spec_of: Specs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def step(name: str) -> None:
        steps.append(name)
        if name == fails_at:
            raise ConnectionError("the server is gone")

    @contextmanager
    def elsewhere(_spec: JobSpec, _first: int) -> Iterator[Callable[[Row], None]]:
        step("open")
        yield lambda row: step("record")
        step("close")

    steps: list[str] = []
    monkeypatch.setattr(tracking, "require", lambda trackers: None)
    monkeypatch.setitem(tracking._OPEN, Tracker.MLFLOW, elsewhere)
    with tracking.tracking(tracked(spec_of(), Tracker.MLFLOW)) as record:
        record(Row(1, 1.0, 0.5, 1e-3, 1.0, 9.0))
        record(Row(2, 0.9, 0.6, 1e-3, 1.0, 9.0))
    assert capsys.readouterr().out.count("mlflow records no more of this job: ConnectionError: the server is gone") == 1
    assert steps[-1] == ("open" if fails_at == "open" else "close")


def test_a_tracker_is_told_how_a_job_ended(spec_of: Specs, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def elsewhere(_spec: JobSpec, _first: int) -> Iterator[Callable[[Row], None]]:
        try:
            yield lambda row: None
        except StoppedError:
            endings.append("stopped")
            raise

    endings: list[str] = []
    monkeypatch.setattr(tracking, "require", lambda trackers: None)
    monkeypatch.setitem(tracking._OPEN, Tracker.MLFLOW, elsewhere)
    with pytest.raises(StoppedError), tracking.tracking(tracked(spec_of(), Tracker.MLFLOW)) as record:
        record(Row(1, 1.0, 0.5, 1e-3, 1.0, 9.0))
        raise StoppedError
    assert endings == ["stopped"]
