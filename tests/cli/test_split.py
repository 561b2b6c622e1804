import csv
import json
from pathlib import Path

import numpy as np
import pytest

from competition.config.experiment import Config
from competition.paths import Paths
from competition.store import baselines
from competition.store.engine import open_store
from tests.conftest import INIT, Comp, draw_images, save, submitted


def test_split_keeps_groups_whole_and_prints_the_shares(comp: Comp, ready: Path) -> None:
    made = json.loads(comp.ok("split", "--scheme", "stratified-group", "--folds", "2", "--json"))
    assert made["version"] == 1
    assert sum(f["images"] for f in made["folds"]) == 12
    assert all(abs(sum(f["class_share"].values()) - 1) < 1e-6 for f in made["folds"])
    path = next(Path("runs/data").glob("*/folds-v1.csv"))
    with path.open(newline="") as file:
        fold = {row["id"]: row["fold"] for row in csv.DictReader(file)}
    for group in range(4):
        assert len({f for image, f in fold.items() if image.startswith(f"g{group}_")}) == 1


def chosen_folds(made: str) -> dict[str, int]:
    return {str(f["fold"]): f["images"] for f in json.loads(made)["folds"]}


@pytest.mark.parametrize("scheme", ["holdout", "kfold", "stratified", "group", "stratified-group"])
def test_every_scheme_is_deterministic(comp: Comp, ready: Path, scheme: str) -> None:
    command = ("split", "--scheme", scheme, "--folds", "3", "--seed", "7", "--allow-leaks", "a test", "--json")
    assert json.loads(comp.ok(*command))["hash"] == json.loads(comp.ok(*command))["hash"]


def test_a_scheme_that_separates_the_images_of_a_group_is_refused(comp: Comp, ready: Path) -> None:
    message = comp.error("split", "--scheme", "kfold", "--folds", "4")
    assert "groups have images in different folds" in message
    assert "--scheme stratified-group" in message
    assert "--allow-leaks REASON" in message
    assert json.loads(comp.ok("split", "--scheme", "group", "--folds", "2", "--json"))["leaks"] == []


def test_a_leak_that_is_allowed_shows_wherever_the_split_does(comp: Comp, ready: Path) -> None:
    ran = comp("split", "--scheme", "kfold", "--folds", "2", "--allow-leaks", "the organisers' own folds")
    assert ran.code == 0
    assert "Leak, allowed" in ran.err
    assert "allowed because: the organisers' own folds" in comp("check").err
    assert "leaking groups" in comp.ok("check")
    store = open_store(Paths(ready))
    baselines.record_first(store, Config(), actor="ann")
    submitted(store)
    store.close()
    assert "split v1 leaks" in comp.ok("leaderboard")
    assert "the organisers' own folds" in comp.ok("leaderboard")
    assert json.loads(comp.ok("leaderboard", "--json"))[0]["leaks_allowed"] == "the organisers' own folds"


def test_an_empty_reason_is_none(comp: Comp, ready: Path) -> None:
    assert "--allow-leaks needs a reason" in comp.error("split", "--allow-leaks", " ")


def test_leaks_are_not_recorded_where_there_are_none(comp: Comp, ready: Path) -> None:
    ran = comp("split", "--scheme", "group", "--folds", "2", "--allow-leaks", "just in case")
    assert "not recorded" in ran.err
    assert "allowed because" not in comp("check").err


def test_a_split_can_be_exported_and_given(comp: Comp, ready: Path) -> None:
    made = comp.ok("split", "--scheme", "group", "--folds", "2", "--json")
    comp.ok("split", "--export", "mine.csv")
    comp.ok("split", "--scheme", "holdout")
    again = comp.ok("split", "--folds-csv", "mine.csv", "--json")
    assert json.loads(again)["hash"] == json.loads(made)["hash"]
    assert chosen_folds(again) == chosen_folds(made)
    assert json.loads(again)["scheme"] == "given"
    assert "three ways" in comp.error("split", "--folds-csv", "mine.csv", "--scheme", "group")
    assert "--folds-csv" in comp.error("split", "--split-column", "part")


def test_a_given_split_that_leaks_is_refused(comp: Comp, ready: Path) -> None:
    ids = [f"g{number // 3}_{number}" for number in range(12)]
    rows = [f"{image_id},{number % 2}" for number, image_id in enumerate(ids)]
    Path("mine.csv").write_text("\n".join(["id,fold", *rows]))
    assert "4 of 4 groups" in comp.error("split", "--folds-csv", "mine.csv")


def test_wrong_splits_are_explained(comp: Comp, ready: Path) -> None:
    assert "kfold" in comp.error("split", "--scheme", "kfolds")
    assert "4" in comp.error("split", "--scheme", "group", "--folds", "9")
    assert "0" in comp.error("split", "--scheme", "holdout", "--valid-fraction", "0")


def test_before_the_first_split_the_data_is_checked(comp: Comp) -> None:
    draw_images(Path.cwd())
    save(Path("images/g0_0.png"), np.zeros((32, 32, 3), np.uint8))
    comp.ok(*INIT)
    first = comp("split", "--folds", "2")
    assert "Warning: 1 image has a single colour" in first.err
    assert "comp check" in first.err
    assert "Warning" not in comp("split", "--folds", "2").err


def test_changed_files_stop_the_first_split(comp: Comp) -> None:
    draw_images(Path.cwd())
    comp.ok(*INIT)
    save(Path("images/g0_0.png"), np.zeros((32, 32, 3), np.uint8))
    message = comp.error("split", "--folds", "2")
    assert "g0_0.png has changed" in message
    assert "comp init" in message
