import json
from pathlib import Path
from typing import Any

import pytest

from competition.paths import Paths
from competition.store import events, experiments
from competition.store.engine import open_store
from tests.cli.conftest import blurred, play
from tests.conftest import Comp


@pytest.fixture
def independent(comp: Comp, ready: Path) -> Path:
    """A competition where each member grows a baseline: ann leads, bob and eve train."""
    settings = ready / "competition.yaml"
    settings.write_text(settings.read_text().replace("strategy: shared", "strategy: independent"))
    comp.ok("assign", "bob", "training")
    comp.ok("assign", "eve", "training")
    return ready


def rows(comp: Comp) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(comp.ok("leaderboard", "--json"))}


def tree(comp: Comp) -> dict[str | None, dict[str, Any]]:
    return {lineage["owner"]: lineage for lineage in json.loads(comp.ok("tree", "--json"))}


def names(node: dict[str, Any]) -> tuple[str | None, list[str], list[Any]]:
    """A node as (experiment, baselines, children)."""
    experiment = node["experiment"]["name"] if node["experiment"] else None
    return experiment, node["baselines"], [names(child) for child in node["children"]]


def test_a_member_grows_a_lineage_of_their_own(comp: Comp, independent: Path) -> None:
    comp.ok("baseline", "new", "--as", "bob", "--set", "loss.dice=0.2", "--set", "seed=9")
    assert "bob has a lineage already: its baseline is b2" in comp.error("baseline", "new", "--as", "bob")
    shown = json.loads(comp.ok("baseline", "show", "--as", "bob", "--json"))
    assert (shown["name"], shown["lineage"], shown["config"]["loss"]["dice"]) == ("b2", "bob", 0.2)
    assert json.loads(comp.ok("baseline", "show", "--json"))["name"] == "b1"

    assert play(independent, blurred(0.3), member="ann") == "b1"
    assert play(independent, blurred(0.25), member="bob") == "b2"
    assert play(independent, blurred(0.1), member="bob", assignments=("optimizer.lr=0.01",)) == "lr-0.01"
    assert play(independent, blurred(0.2), member="eve", assignments=("loss.dice=0.5",)) == "dice-0.5"
    found = rows(comp)
    assert {name: row["lineage"] for name, row in found.items()} == {
        "b1": None,
        "b2": "bob",
        "lr-0.01": "bob",
        "dice-0.5": None,
    }
    assert found["lr-0.01"]["parent"] == "b2"
    assert found["lr-0.01"]["conditions"] == ["optimizer.lr: 0.001 -> 0.01"]
    assert found["dice-0.5"]["parent"] == "b1"
    shown_board = comp.ok("leaderboard")
    assert "lineage" in shown_board
    assert "(team)" in shown_board
    assert max(map(len, shown_board.splitlines())) <= 80

    comp.ok("assign", "ann", "baseline")
    steps = [s["step"] for m in json.loads(comp.ok("status", "--json"))["members"] for s in m["next"]]
    assert "lr-0.01 scores higher, perhaps by luck: `comp run b2 --seeds 3`" in steps
    blend = json.loads(comp.ok("ensemble", "--json"))
    assert set(blend["weights"]) == {"b1", "b2", "lr-0.01", "dice-0.5"}


def test_an_owner_promotes_in_their_own_lineage_alone(comp: Comp, independent: Path) -> None:
    comp.ok("baseline", "new", "--as", "bob", "--set", "seed=9")
    written = Path("baseline.yaml").read_text()
    play(independent, blurred(0.25), member="bob")
    play(independent, blurred(0.1), member="bob", assignments=("loss.dice=0.5",))
    assert "eve may not promote a baseline" in comp.error("baseline", "promote", "dice-0.5", "--as", "eve")
    ran = comp("baseline", "promote", "dice-0.5", "--as", "bob")
    assert ran.code == 0, ran.err
    assert "b3 is now the baseline of bob" in ran.err
    assert Path("baseline.yaml").read_text() == written
    assert play(independent, blurred(0.2), member="bob", assignments=("optimizer.lr=0.01",)) == "lr-0.01"
    assert rows(comp)["lr-0.01"]["parent"] == "dice-0.5"
    assert play(independent, blurred(0.2), member="eve", assignments=("optimizer.lr=0.02",)) == "lr-0.02"
    assert rows(comp)["lr-0.02"]["parent"] == "b1"
    found = tree(comp)
    assert [names(root) for root in found["bob"]["roots"]] == [
        ("b2", ["b2"], [("dice-0.5", ["b3"], [("lr-0.01", [], [])])])
    ]
    assert found["bob"]["current"] == "b3"
    assert [names(root) for root in found[None]["roots"]] == [(None, ["b1"], [("lr-0.02", [], [])])]


def test_the_shared_strategy_has_one_lineage(comp: Comp, ready: Path) -> None:
    error = comp.error("baseline", "new", "--as", "ann")
    assert "The strategy is shared" in error
    assert "comp baseline promote EXPERIMENT" in error
    assert "No experiment yet" in comp.ok("tree")


def test_a_lineage_may_start_from_a_file(comp: Comp, independent: Path) -> None:
    Path("mine.yaml").write_text("optimizer: {lr: 0.5}\n")
    comp.ok("baseline", "new", "--as", "eve", "--file", "mine.yaml")
    config = json.loads(comp.ok("baseline", "show", "--as", "eve", "--json"))["config"]
    assert (config["optimizer"]["lr"], config["train"]["epochs"]) == (0.5, 20)


def test_a_lineage_pins_what_it_starts_from(comp: Comp, independent: Path) -> None:
    """As the team's baseline does: what starts from it has one condition, and the lineage's first has none."""
    Path("enc.safetensors").write_bytes(b"weights")
    comp.ok("baseline", "new", "--as", "eve", "--set", "model.weights=enc.safetensors")
    config = json.loads(comp.ok("baseline", "show", "--as", "eve", "--json"))["config"]
    assert config["model"]["weights"].startswith("enc.safetensors@")
    assert play(independent, blurred(0.3), member="eve") == "b2"
    Path("enc.safetensors").unlink()  # what is inherited stays as it is, and what is there goes on
    assert play(independent, blurred(0.3), member="eve") == "b2"


def test_promoting_moves_the_team_and_rebase_brings_conditions_along(comp: Comp, ready: Path) -> None:
    play(ready, blurred(0.3))
    play(ready, blurred(0.1), assignments=("loss.dice=0.5",))
    play(ready, blurred(0.2), assignments=("optimizer.lr=0.0003",))
    comp.ok("idea", "add", "slower", "--as", "ann")
    comp.ok("run", "--idea", "1", "--as", "ann", "--set", "optimizer.lr=0.0003", "--detach")
    assert "starts from b1 already" in comp.error("rebase", "lr-0.0003", "--as", "ann")
    comp.ok("baseline", "promote", "dice-0.5", "--as", "ann")
    assert "dice-0.5 is the baseline already (b2)" in comp.error("baseline", "promote", "dice-0.5", "--as", "ann")
    assert rows(comp)["lr-0.0003"]["parent"] == "b1"
    made = json.loads(comp.ok("rebase", "lr-0.0003", "--as", "ann", "--json"))
    assert made == {"name": "lr-0.0003@b2", "new": True, "jobs": 3}
    new = rows(comp)["lr-0.0003@b2"]
    assert (new["parent"], new["conditions"]) == ("dice-0.5", ["optimizer.lr: 0.001 -> 0.0003"])
    (idea,) = json.loads(comp.ok("idea", "list", "--json"))
    assert [e["name"] for e in idea["experiments"]] == ["lr-0.0003", "lr-0.0003@b2"]
    assert json.loads(comp.ok("rebase", "lr-0.0003", "--as", "ann", "--json"))["new"] is False
    assert "b1 is a baseline itself" in comp.error("rebase", "b1", "--as", "ann")
    assert "b2 has the condition of dice-0.5 already" in comp.error("rebase", "dice-0.5", "--as", "ann")

    (team,) = json.loads(comp.ok("tree", "--json"))
    assert [names(root) for root in team["roots"]] == [
        ("b1", ["b1"], [("dice-0.5", ["b2"], [("lr-0.0003@b2", [], [])]), ("lr-0.0003", [], [])])
    ]
    drawn = comp.ok("tree")
    assert "dice-0.5 = b2 (now)" in drawn
    assert "loss.dice: 1.0 -> 0.5" in drawn
    assert f"{100 * rows(comp)['dice-0.5']['delta']:+.2f}" in drawn
    assert max(map(len, drawn.splitlines())) <= 80


def test_a_change_back_is_no_endless_tree(comp: Comp, ready: Path) -> None:
    play(ready, blurred(0.1), assignments=("loss.dice=0.5",))
    play(ready, blurred(0.2), parent="dice-0.5", assignments=("loss.dice=1.0",))
    (team,) = json.loads(comp.ok("tree", "--json"))
    assert [names(root) for root in team["roots"]] == [("dice-1.0", ["b1"], [("dice-0.5", [], [])])]


def test_what_is_forced_is_an_event(comp: Comp, ready: Path) -> None:
    comp.ok("assign", "bob", "training")
    play(ready, blurred(0.3))
    play(ready, blurred(0.1), assignments=("loss.dice=0.5",), member="bob")
    comp.ok("baseline", "promote", "dice-0.5", "--as", "bob", "--force")
    store = open_store(Paths(ready))
    told = [(e.actor, e.subject, e.action) for e in events.history(store)][:2]
    assert experiments.exists(store, "dice-0.5")
    store.close()
    assert told == [("bob", "b2", "forced promotion"), ("bob", "bob", "forced")]
