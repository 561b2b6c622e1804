from pathlib import Path

import pytest

from competition.config import weightfile
from competition.config.experiment import Config, read_config
from competition.config.settings import read_settings
from competition.errors import ConfigError, RefusedError, UnknownNameError
from competition.experiments.request import RunRequest, submit
from competition.files import sha256_of
from competition.jobspec import Succeeded
from competition.paths import Paths
from competition.store import baselines
from competition.store.engine import open_store
from competition.store.plans import Submitted
from competition.store.queue import attempts
from competition.store.queue.attempts import Process

FIRST = "def build(classes):\n    return 1\n"


def request(root: Path, *assignments: str, checked: list[Config] | None = None, parent: str | None = None) -> Submitted:
    """Ask for an experiment; no model is built."""
    paths = Paths(root)
    store = open_store(paths)
    try:
        asked = RunRequest("ann", assignments=assignments, parent=parent)
        check = (checked if checked is not None else []).append
        return submit(store, read_settings(paths.competition), asked, check_model=check)
    finally:
        store.close()


def test_own_code_is_a_condition_and_so_is_its_change(ready: Path) -> None:
    code = ready / "net.py"
    code.write_text(FIRST)
    first = request(ready, "model.target=net:build")
    (condition,) = first.experiment.conditions
    assert (condition.key, condition.old) == ("model.target", None)
    assert condition.new.startswith("net:build@")
    assert request(ready, "model.target=net:build").is_new is False

    code.write_text(FIRST + "# better\n")
    second = request(ready, "model.target=net:build")
    assert second.is_new
    assert second.experiment.config.sha256 != first.experiment.config.sha256
    assert second.experiment.config.model.target != first.experiment.config.model.target


def test_a_baseline_that_was_stored_without_a_pin_goes_on(ready: Path) -> None:
    """Of an earlier comp, which pinned no weights."""
    (ready / "enc.safetensors").write_bytes(b"weights")
    text = (ready / "baseline.yaml").read_text()
    (ready / "baseline.yaml").write_text(text.replace("  weights: none", "  weights: enc.safetensors"))
    store = open_store(Paths(ready))
    baselines.record_first(store, read_config(ready / "baseline.yaml"), actor="ann")
    store.close()
    assert request(ready).experiment.name == "b1"
    assert request(ready).is_new is False
    (condition,) = request(ready, "optimizer.lr=2e-3").experiment.conditions
    assert condition.key == "optimizer.lr"


def test_a_file_that_is_called_like_a_pinned_one_is_that_file(tmp_path: Path) -> None:
    odd = "enc@0123456789ab"
    (tmp_path / odd).write_bytes(b"weights")
    assert weightfile.located(odd, tmp_path) == tmp_path / odd
    assert weightfile.pinned(odd, tmp_path) == f"{odd}@{sha256_of(tmp_path / odd)[:12]}"
    assert weightfile.located(weightfile.pinned(odd, tmp_path), tmp_path) == tmp_path / odd


def test_another_way_to_predict_is_shown_to_the_model_again(ready: Path) -> None:
    """Some encoders take no views at other scales."""
    seen: list[Config] = []
    source = request(ready, checked=seen).experiment.name
    store = open_store(Paths(ready))
    taken = attempts.claim(store, Process("host", "boot", 1, 1.0), device="cpu", slot=0, experiment=source)
    assert taken is not None
    attempts.succeed(store, Succeeded(taken.token, None, 2.0, 1.0, 1.0, {}))
    store.close()
    request(ready, "optimizer.lr=2e-3", checked=seen)
    assert len(seen) == 1  # that model has been built before
    request(ready, "predict.scales=[1,1.5]", checked=seen)
    assert len(seen) == 2


def test_own_code_that_is_not_there_is_refused(ready: Path) -> None:
    with pytest.raises(ConfigError, match=r"model\.target nowhere:build: there is no module 'nowhere'"):
        request(ready, "model.target=nowhere:build")
    with pytest.raises(ConfigError, match=r"model\.target: 'build' is wrong"):
        request(ready, "model.target=build")


def test_a_file_of_weights_is_a_condition_and_so_is_its_change(ready: Path) -> None:
    file = ready / "enc.safetensors"
    file.write_bytes(b"first")
    first = request(ready, "model.weights=enc.safetensors")
    (condition,) = first.experiment.conditions
    assert condition.new.startswith("enc.safetensors@")
    assert request(ready, "model.weights=enc.safetensors").is_new is False

    file.write_bytes(b"second")
    second = request(ready, "model.weights=enc.safetensors")
    assert second.is_new
    assert second.experiment.config.model.weights != first.experiment.config.model.weights
    assert request(ready, f"model.weights={condition.new}").is_new is False  # what is there goes on
    with pytest.raises(ConfigError, match=rf"enc\.safetensors has changed: it was {condition.new[-12:]} and is "):
        request(ready, "optimizer.lr=2e-3", parent=first.experiment.name)
    file.unlink()
    assert request(ready, parent=first.experiment.name).is_new is False
    with pytest.raises(ConfigError, match=r"there is no file .*imagnet"):
        request(ready, "model.weights=imagnet")


def test_the_model_of_one_fold_is_no_start_for_all(ready: Path) -> None:
    """Wherever it lies: it has seen what the other folds validate on."""
    source = request(ready).experiment.name
    copied = ready / "best.safetensors"
    copied.write_bytes(b"tensors")
    store = open_store(Paths(ready))
    for artifacts in ({}, {"model.safetensors": sha256_of(copied)}):  # of the debug job, of fold 0
        taken = attempts.claim(store, Process("host", "boot", 1, 1.0), device="cpu", slot=0, experiment=source)
        assert taken is not None
        attempts.succeed(store, Succeeded(taken.token, 0.5, 2.0, 1.0, 1.0, artifacts))
    store.close()
    with pytest.raises(RefusedError, match=rf"that file is the model of {source}, fold 0\. As the start") as caught:
        request(ready, "model.weights=best.safetensors")
    assert f"--set model.weights=experiment:{source}" in str(caught.value)
    copied.write_bytes(b"other tensors")
    assert request(ready, "model.weights=best.safetensors").is_new


def test_weights_of_an_experiment_need_every_fold_of_this_split(ready: Path) -> None:
    source = request(ready).experiment.name
    setting = f"model.weights=experiment:{source}"
    with pytest.raises(UnknownNameError, match="no experiment 'nobody'"):
        request(ready, "model.weights=experiment:nobody")
    with pytest.raises(RefusedError, match=rf"{source} has no model of fold 0, 1"):
        request(ready, setting)
    for fold in (0, 1):
        path = Paths(ready).job(source, fold).model
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert request(ready, setting).experiment.conditions[0].new == f"experiment:{source}"


def test_a_model_is_checked_with_each_optimiser(ready: Path) -> None:
    checked: list[Config] = []
    request(ready, "optimizer.name=nadamw", checked=checked)
    request(ready, "optimizer.lr=0.5", checked=checked)
    assert [config.optimizer.name for config in checked] == ["nadamw", "adamw"]
