"""A competition of an earlier version opens and goes on: scores, ranks, verdicts and bytes are what they were."""

import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest

from competition.store import schema
from tests.conftest import Comp

RELEASED = Path(__file__).parent / "released" / "0.1.0.zip"
EXPECTED = Path("expected")


@pytest.fixture
def old(comp: Comp, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the old competition in it."""
    with zipfile.ZipFile(RELEASED) as archive:
        archive.extractall()
    monkeypatch.setenv("COMP_MEMBER", "ann")
    return Path.cwd()


def expected(name: str) -> Any:
    return json.loads((EXPECTED / name).read_text())


def assert_holds(now: Any, before: Any, where: str = "") -> None:
    """Every value of the answer of then is in the answer of now; numbers agree to a billionth."""
    if isinstance(before, dict):
        assert before.keys() <= now.keys(), (where, before.keys() - now.keys())
        for key, value in before.items():
            assert_holds(now[key], value, f"{where}.{key}")
    elif isinstance(before, list):
        assert len(now) == len(before), where
        for number, (left, right) in enumerate(zip(now, before, strict=True)):
            assert_holds(left, right, f"{where}[{number}]")
    elif isinstance(before, float):
        assert now == pytest.approx(before, rel=1e-9, abs=1e-12), where
    else:
        assert now == before, where


def test_the_database_is_upgraded_after_a_copy(old: Path, comp: Comp) -> None:
    comp.ok("status")
    with sqlite3.connect("runs/comp.db") as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == (schema.HEAD,)
    if schema.HEAD != "0008":
        assert list(Path("runs").glob("*0008*"))


def test_ranks_scores_and_verdicts_are_what_they_were(old: Path, comp: Comp) -> None:
    assert_holds(json.loads(comp.ok("leaderboard", "--json")), expected("leaderboard.json"))


@pytest.mark.parametrize(("child", "answer"), [("tta-hflip", "compare-tta.json"), ("dice-0.5", "compare-dice.json")])
def test_comparisons_are_what_they_were(old: Path, comp: Comp, child: str, answer: str) -> None:
    assert_holds(json.loads(comp.ok("compare", "b1", child, "--json")), expected(answer))


def test_an_ensemble_comes_to_the_same_weights_and_score(old: Path, comp: Comp) -> None:
    assert_holds(
        json.loads(comp.ok("ensemble", "--name", "again", "--method", "weighted", "--json")), expected("ensemble.json")
    )


@pytest.mark.parametrize("source", ["final", "cleaned"])
def test_recorded_ensembles_make_the_same_submission_byte_for_byte(old: Path, comp: Comp, source: str) -> None:
    comp.ok("submit", source, "--format", "rle-csv", "--output", "now.csv")
    assert Path("now.csv").read_bytes() == (EXPECTED / f"{source}.csv").read_bytes()


@pytest.mark.slow
def test_training_goes_on_from_the_old_baseline(old: Path, comp: Comp) -> None:
    comp.ok("run", "--set", "optimizer.lr=8e-3", "--note", "a step on")
    row = {row["name"]: row for row in json.loads(comp.ok("leaderboard", "--json"))}["lr-0.008"]
    assert row["parent"] == "b1"
    assert row["score"] > 0.4
    assert row["verdict"]["against"] == "b1"
    comp.ok("resume", "bo")
    comp.ok("retry", "epochs-6")
    assert "epochs-6" in comp.ok("queue")


@pytest.mark.slow
def test_a_fold_trained_again_is_the_recorded_one(old: Path, comp: Comp) -> None:
    """Other processors round differently; on the one that made it the result is identical."""
    answer = json.loads(comp.ok("reproduce", "b1", "--fold", "0", "--json"))
    assert answer["sameness"] in ("identical", "within tolerance")
