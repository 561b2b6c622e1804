import json
from pathlib import Path

import pytest

from competition.lifecycle import FailureKind
from competition.paths import Paths, archive_of
from competition.store import events
from competition.store.engine import open_store
from competition.store.queue import attempts
from tests.cli.blending import finish
from tests.cli.conftest import WORKER
from tests.conftest import Comp


@pytest.fixture
def three(comp: Comp, ready: Path) -> Path:
    """Three complete experiments, from the best to the worst: b1, fair, bad; an ensemble `e` needs `bad`."""
    finish(ready, "b1", noise=1.0, score=0.9)
    finish(ready, "fair", "loss.dice=0.5", noise=1.5, score=0.8)
    finish(ready, "bad", "optimizer.lr=0.01", noise=3.0, score=0.7)
    comp.ok("ensemble", "b1", "bad", "--name", "e", "--method", "mean")
    return ready


def listed(comp: Comp) -> dict[str, dict[str, object]]:
    return {row["experiment"]: row for row in json.loads(comp.ok("artifacts", "show", "--json"))}


def test_before_anything_is_stored(comp: Comp, ready: Path) -> None:
    assert "No probabilities" in comp.ok("artifacts", "show")


def test_lists_what_there_is_and_who_needs_it(comp: Comp, three: Path) -> None:
    comp.ok("submit", "fair", "--as", "ann")
    found = listed(comp)
    assert list(found) == ["b1", "fair", "bad"]
    assert {name: row["needed_by"] for name, row in found.items()} == {
        "b1": ["e"],
        "fair": ["submission"],
        "bad": ["e"],
    }
    # Three classes of 12 labelled images, and of two test images by two fold models.
    assert found["b1"]["bytes"] == 3 * 32 * 32 * (12 + 2 * 2)
    assert (found["b1"]["shards"], found["b1"]["archived"]) == (4, 0)
    assert "bad" in comp.ok("artifacts", "show")


def test_a_further_seed_that_failed_does_not_give_up_the_rest(comp: Comp, three: Path) -> None:
    comp.ok("run", "fair", "--seeds", "2", "--detach", "--as", "ann")
    store = open_store(Paths(three))
    while taken := attempts.claim(store, WORKER, device="cpu", slot=0, experiment="fair"):
        attempts.fail(store, taken.token, kind=FailureKind.NAN, reason="the loss is not finite")
    store.close()
    assert "not finite" in comp.ok("leaderboard")
    comp.ok("artifacts", "prune", "--keep", "2", "--as", "ann")
    assert list(listed(comp)) == ["b1", "fair", "bad"]


def test_prunes_what_nothing_refers_to(comp: Comp, three: Path) -> None:
    ran = comp("artifacts", "prune", "--keep", "1", "--dry-run")
    assert "Would remove: fair" in ran.err
    assert list(listed(comp)) == ["b1", "fair", "bad"]
    ran = comp("artifacts", "prune", "--keep", "1", "--as", "ann")
    assert "refers to them: bad" in ran.err
    assert list(listed(comp)) == ["b1", "bad"]
    assert not list(Paths(three).job("fair", 0).folder.glob("*.u8*"))
    store = open_store(Paths(three))
    assert [e.action for e in events.history(store, subject="fair", most=1)] == ["probabilities pruned"]
    store.close()
    comp.ok("submit", "e", "--as", "ann")
    ran = comp("ensemble", "--method", "mean", "--json")
    assert "pruned: fair" in ran.err
    assert set(json.loads(ran.out)["weights"]) == {"b1", "bad"}
    assert "comp retry fair --folds 0 --finished-too" in comp.error("ensemble", "b1", "fair")


def test_what_a_submission_was_made_from_stays(comp: Comp, three: Path) -> None:
    comp.ok("submit", "fair", "--as", "ann")
    assert "Removed the probabilities of 0 experiments" in comp("artifacts", "prune", "--keep", "0").err
    assert list(listed(comp)) == ["b1", "fair", "bad"]


def test_a_running_experiment_is_left_alone(comp: Comp, three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from competition.predictions import retention
    from competition.predictions.retention import Kept

    kept = Kept("x", None, (), (), (), is_running=True)
    assert retention.beyond([kept], 0) == []
    assert retention.beyond([replace(kept, is_running=False)], 0) != []


def test_archives_are_smaller_and_submissions_the_same(comp: Comp, three: Path) -> None:
    before = json.loads(comp.ok("submit", "e", "--as", "ann", "--json"))["sha256"]
    scores = json.loads(comp.ok("ensemble", "--method", "auto", "--json"))["score"]
    size = {name: row["bytes"] for name, row in listed(comp).items()}
    assert "Would archive: fair" in comp("artifacts", "archive", "--keep", "1", "--dry-run").err
    assert "Archived 8 shards of 2 experiments" in comp("artifacts", "archive", "--keep", "1").err
    found = listed(comp)
    assert {name: row["archived"] for name, row in found.items()} == {"b1": 0, "fair": 4, "bad": 4}
    assert archive_of(Paths(three).job("bad", 0).oof).exists()
    assert all(found[name]["bytes"] < size[name] for name in ("fair", "bad"))  # type: ignore[operator]
    assert json.loads(comp.ok("submit", "e", "--as", "ann", "--json"))["sha256"] == before
    assert json.loads(comp.ok("ensemble", "--method", "auto", "--json"))["score"] == scores
    assert "Archived 4 shards of 1 experiments" in comp("artifacts", "archive").err


def test_the_disk_need_is_said_before_anything_is_predicted(comp: Comp, ready: Path) -> None:
    ran = comp("run", "--as", "ann", "--detach")
    assert "Its probabilities will take 0 MiB" in ran.err
    assert "are free" in ran.err
