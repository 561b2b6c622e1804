import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from competition.config.settings import read_settings
from competition.errors import RefusedError
from competition.experiments.request import RunRequest, submit
from competition.paths import Paths
from competition.predictions.shards import Shard
from competition.store import splits
from competition.store.engine import open_store
from competition.store.plans import Submitted
from tests.cli.blending import finish
from tests.conftest import Comp


@pytest.fixture
def blended(comp: Comp, ready: Path) -> Path:
    """An ensemble `e1` of two experiments, one of which its weights leave out."""
    finish(ready, "b1", noise=1.2, score=0.9)
    finish(ready, "bad", "optimizer.lr=0.01", noise=6.0, score=0.5)
    comp.ok("ensemble", "b1", "bad", "--method", "weighted", "--name", "e1")
    return ready


def submitted(root: Path, *assignments: str) -> Submitted:
    store = open_store(Paths(root))
    try:
        request = RunRequest("ann", assignments=assignments)
        return submit(store, read_settings(Paths(root).competition), request, check_model=lambda _: None)
    finally:
        store.close()


def test_the_labels_are_the_equal_mean_of_the_folds_own_models(comp: Comp, blended: Path) -> None:
    made = json.loads(comp.ok("pseudo", "e1", "--threshold", "0.8", "--json"))
    assert (made["name"], made["source"], made["members"], made["threshold"]) == ("p1", "e1", ["b1", "bad"], 0.8)
    paths = Paths(blended)
    for fold in (0, 1):
        kept = np.zeros(3, int)
        for image_id in ("g0_0", "g0_1"):
            shards = [Shard.open(paths.job(name, fold).test)[image_id].astype(float) for name in ("b1", "bad")]
            mean = np.mean(shards, axis=0) / 255
            expected = np.where(mean.max(axis=0) >= 0.8 - 1e-9, mean.argmax(axis=0), 255)
            with Image.open(paths.pseudo("p1").labels(fold) / f"{image_id}.png") as picture:
                assert np.array_equal(np.asarray(picture), expected)
            kept += np.bincount(expected.ravel(), minlength=256)[:3]
        assert list(made["folds"][fold]["kept"].values()) == kept.tolist()
        assert sum(made["folds"][fold]["predicted"].values()) == 2 * 32 * 32


def test_what_is_shown(comp: Comp, blended: Path) -> None:
    ran = comp("pseudo", "b1", "--threshold", "0.7", "--name", "sure")
    lines = ran.out.splitlines()
    assert ran.code == 0
    assert lines[0].split() == ["class", "predicted", "kept", "share"]
    assert [line.split()[0] for line in lines[1:4]] == ["background", "square", "disc"]
    assert "sure@" in lines[-1]
    assert "2 test images in each of 2 folds" in lines[-1]
    assert max(map(len, lines)) <= 80
    assert "comp run --set data.pseudo=sure" in ran.err
    assert "pseudo-labels made" in comp.ok("events")
    assert "p1@" in comp.ok("pseudo", "b1")


def test_it_is_a_condition_that_changes_with_the_labels(comp: Comp, blended: Path) -> None:
    first = json.loads(comp.ok("pseudo", "e1", "--name", "a", "--threshold", "0.5", "--json"))["pinned"]
    made = submitted(blended, "data.pseudo=a").experiment
    assert [str(c) for c in made.conditions] == [f"data.pseudo: none -> {first}"]
    assert made.name == "pseudo-a-" + first.partition("@")[2]
    assert submitted(blended, f"data.pseudo={first}").is_new is False
    for file in sorted(Paths(blended).pseudo("a").folder.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    Paths(blended).pseudo("a").folder.rmdir()
    second = json.loads(comp.ok("pseudo", "e1", "--name", "a", "--threshold", "0.6", "--json"))["pinned"]
    assert second != first
    assert submitted(blended, "data.pseudo=a").is_new
    assert f"{first} was asked for, but now they are {second}" in comp.error(
        "run", "--as", "ann", "--set", f"data.pseudo={first}"
    )


def test_what_is_refused(comp: Comp, blended: Path) -> None:
    assert "There is no ensemble or experiment 'e2'" in comp.error("pseudo", "e2")
    finish(blended, "calm", "optimizer.lr=0.02", noise=0.1, score=0.9)  # the largest probability is 0.92
    assert "reaches the threshold 1 in fold" in comp.error("pseudo", "calm", "--threshold", "1")
    assert "every pixel, however unsure" in comp.error("pseudo", "e1", "--threshold", "0")
    assert comp("pseudo", "e1", "--threshold", "1.5").code == 2
    for name in ("none", "a@b", "a/b", ""):
        assert "cannot be the name of a set of pseudo-labels" in comp.error("pseudo", "e1", "--name", name)
    comp.ok("pseudo", "b1", "--name", "sure", "--threshold", "0.5")
    assert "'sure' already" in comp.error("pseudo", "b1", "--name", "sure")
    assert "Did you mean 'sure'" in comp.error("run", "--as", "ann", "--set", "data.pseudo=suer")
    assert sorted(p.name for p in Paths(blended).all_pseudo.iterdir()) == ["sure"]


def test_labels_of_an_older_split_are_refused(comp: Comp, blended: Path) -> None:
    comp.ok("pseudo", "b1", "--threshold", "0.5")
    comp.ok("split", "--scheme", "stratified-group", "--folds", "3", "--force")
    store = open_store(Paths(blended))
    assert splits.require_current(store).version == 2
    store.close()
    with pytest.raises(RefusedError, match="they have seen images that it validates on"):
        submitted(blended, "data.pseudo=p1")


def test_a_member_that_chose_its_epoch_by_the_fold_is_named(comp: Comp, blended: Path) -> None:
    finish(blended, "lucky", "train.checkpoint=best", noise=1.0, score=0.9)
    assert "lucky chose an epoch by the validation fold" in " ".join(comp("pseudo", "lucky").err.split())
    assert "chose an epoch" not in comp("pseudo", "b1").err
