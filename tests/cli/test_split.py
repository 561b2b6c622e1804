import csv
import json
from pathlib import Path

import pytest

from tests.conftest import Comp


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


@pytest.mark.parametrize("scheme", ["holdout", "kfold", "stratified", "group", "stratified-group"])
def test_every_scheme_is_deterministic(comp: Comp, ready: Path, scheme: str) -> None:
    command = ("split", "--scheme", scheme, "--folds", "3", "--seed", "7", "--json")
    assert json.loads(comp.ok(*command))["hash"] == json.loads(comp.ok(*command))["hash"]


def test_a_scheme_that_tears_groups_apart_warns(comp: Comp, ready: Path) -> None:
    ran = comp("split", "--scheme", "kfold", "--folds", "4")
    assert ran.code == 0
    assert "groups stand on two sides" in ran.err


def test_wrong_splits_are_explained(comp: Comp, ready: Path) -> None:
    assert "kfold" in comp.error("split", "--scheme", "kfolds")
    assert "4" in comp.error("split", "--scheme", "group", "--folds", "9")
    assert "0" in comp.error("split", "--scheme", "holdout", "--valid-fraction", "0")
