import json
from pathlib import Path

import numpy as np
import pytest

from competition.config.settings import read_settings
from competition.paths import Paths
from competition.store import experiments, scores, splits
from competition.store.engine import open_store
from competition.store.submissions import Draft, record, set_score
from competition.submission.cv_scores import cv_scores
from tests.cli.conftest import blurred, play
from tests.conftest import Comp

CHANGES = {"b1": (), "dice-0.5": ("loss.dice=0.5",), "lr-0.002": ("optimizer.lr=0.002",)}


@pytest.fixture
def three(comp: Comp, ready: Path) -> Path:
    """Three complete experiments; the second is a little better than the first, the third worse."""
    for share, (name, change) in zip((0.3, 0.27, 0.35), CHANGES.items(), strict=True):
        assert play(ready, blurred(share, seed=len(name)), assignments=change) == name
    return ready


def hand_in(root: Path, public: dict[str, float | None]) -> None:
    """Submissions 1, 2, … of these experiments with these public scores."""
    store = open_store(Paths(root))
    for number, (name, score) in enumerate(public.items(), start=1):
        cv = experiments.find(store, name).score
        draft = Draft(name, "png", "p", f"sha {name}", 2, "ann", 1, cv, {name: 1.0})
        record(store, draft, per_day=None, force=False)
        if score is not None:
            set_score(store, number, actor="ann", public=score)
    store.close()


def say(root: Path, text: str) -> None:
    path = root / "competition.yaml"
    path.write_text(path.read_text() + text)


def test_without_scores_it_says_how_to_enter_them(comp: Comp, three: Path) -> None:
    assert "comp score SUBMISSION" in comp.ok("leaderboard", "--public")
    assert json.loads(comp.ok("leaderboard", "--public", "--json"))["submissions"] == []
    assert "only --json goes with it" in comp.error("leaderboard", "--public", "--member", "ann")


def test_cv_against_the_public_board(comp: Comp, three: Path) -> None:
    cv = {r["name"]: r["score"] for r in json.loads(comp.ok("leaderboard", "--json"))}
    public = {"b1": cv["b1"] - 0.01, "dice-0.5": cv["dice-0.5"] - 0.03, "lr-0.002": cv["lr-0.002"] - 0.02}
    hand_in(three, dict(public))
    board = json.loads(comp.ok("leaderboard", "--public", "--json"))
    assert [s["source"] for s in board["submissions"]] == sorted(public, key=lambda n: -public[n])
    assert board["rank_correlation"] == pytest.approx(1.0 if public["dice-0.5"] > public["b1"] else 0.5)
    assert board["gap_mean"] == pytest.approx(-0.02)
    assert board["gap_spread"] == pytest.approx(0.01)
    assert board["pairs"] == []
    assert board["submissions"][0]["public_error"] is None
    assert "public_images: N" in comp("leaderboard", "--public").err

    say(three, "public_images: 4\nprivate_images: 8\n")
    board = json.loads(comp.ok("leaderboard", "--public", "--json"))
    paths = Paths(three)
    store = open_store(paths)
    measured = cv_scores(paths, read_settings(paths.competition), splits.require_current(store), CHANGES)
    store.close()
    for standing in board["submissions"]:
        # Twelve images in four groups are the CV's; four public ones make the error the root of three times as large.
        error = measured[standing["source"]].error
        assert error is not None
        assert standing["public_error"] == pytest.approx(error * np.sqrt(3))
    assert [pair["ahead"] for pair in board["pairs"]] == [s["id"] for s in board["submissions"][:2]]
    assert all(0 < pair["swap_probability"] < 1 for pair in board["pairs"])
    table = comp.ok("leaderboard", "--public")
    assert "rank correlation of CV and public" in table
    assert max(map(len, table.splitlines())) <= 80


def test_climbing_the_board_without_cv_is_warned_of(comp: Comp, three: Path) -> None:
    hand_in(three, {"dice-0.5": 0.40, "b1": 0.41, "lr-0.002": 0.42})
    out = comp.ok("leaderboard", "--public")
    assert "Warning: up the public board 2 times in a row without a better CV (submissions 1 -> 2 -> 3)." in out
    comp.ok("score", "1", "--public", "0.5", "--as", "ann")
    assert "Warning" not in comp.ok("leaderboard", "--public")


def test_a_source_made_anew_gives_no_error_bar(comp: Comp, three: Path) -> None:
    say(three, "public_images: 4\nprivate_images: 8\n")
    hand_in(three, {"b1": 0.4, "dice-0.5": 0.5})
    paths = Paths(three)
    store = open_store(paths)
    scores.set_score(store, experiments.find(store, "b1").id, score=0.123, class_iou=[0.1, 0.1, 0.1])
    draft = Draft("b1", "png", "p", "another sha", 2, "ann", 1, 0.123, {"b1": 1.0})
    made = record(store, draft, per_day=None, force=False).submission
    set_score(store, made.id, actor="ann", public=0.45)
    store.close()
    board = json.loads(comp.ok("leaderboard", "--public", "--json"))
    assert {s["id"]: s["public_error"] is None for s in board["submissions"]} == {1: False, 2: False, 3: True}


def test_advice_is_the_best_cv_and_another_bet(comp: Comp, three: Path) -> None:
    only = json.loads(comp.ok("submit", "--advise", "--json"))
    assert (only["first"]["name"], only["second"]["is_blend"]) == ("dice-0.5", False)
    assert "the best such single model; no blend is another bet" in only["why"][1]
    comp.ok("ensemble", "--name", "all", "--method", "mean")
    comp.ok("ensemble", "b1", "lr-0.002", "--name", "pair", "--method", "mean")
    best = play(three, blurred(0.02), assignments=("seed=7",))
    comp.ok("ensemble", best, "b1", "--name", "half", "--method", "mean")
    comp.ok("ensemble", best, "--name", "alone")
    advice = json.loads(comp.ok("submit", "--advise", "--json"))
    # `alone` is the best experiment once more: the same bet. `half` shares half of its weight, and is the better blend.
    assert advice["first"]["cv"] == max(r["score"] for r in json.loads(comp.ok("leaderboard", "--json")))
    assert advice["first"]["name"] in (best, "alone")
    assert advice["second"]["name"] == "half"
    assert advice["hedge"]["private_images"] == 2
    assert 0 <= advice["hedge"]["second_wins"] <= 1
    comp.ok("submit", "half", "--as", "ann")
    assert json.loads(comp.ok("submit", "--advise", "--json"))["second"]["submission"] == 1
    ran = comp("submit", "--advise")
    assert "has the best CV" in ran.out
    assert "comp submit" in ran.err
    assert max(map(len, ran.out.splitlines())) <= 80


def test_advice_before_anything_is_complete(comp: Comp, ready: Path) -> None:
    assert "No experiment is complete yet" in comp.error("submit", "--advise")
    assert "What is to be submitted?" in comp.error("submit")
