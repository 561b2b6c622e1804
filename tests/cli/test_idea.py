import json
from pathlib import Path

from tests.cli.conftest import blurred, play
from tests.conftest import Comp


def test_an_idea_is_written_down_tried_and_judged(comp: Comp, ready: Path) -> None:
    assert "No idea yet" in comp.ok("idea", "list")
    comp.ok("idea", "add", "less Dice", "--source", "https://example.org/a?b=[c]", "--as", "ann")
    comp.ok("idea", "add", "more epochs", "--as", "ann")
    assert "not tried" in comp.ok("idea", "list")
    play(ready, blurred(0.3))
    play(ready, blurred(0.2), assignments=("loss.dice=0.5",))
    ran = comp("run", "--as", "ann", "--idea", "1", "--set", "loss.dice=0.5", "--detach")
    assert ran.code == 0, ran.err
    first, second = json.loads(comp.ok("idea", "list", "--json"))
    assert first["source"] == "https://example.org/a?b=[c]"
    (tried,) = first["experiments"]
    assert (tried["name"], tried["state"]) == ("dice-0.5", "complete")
    board = {row["name"]: row for row in json.loads(comp.ok("leaderboard", "--json"))}
    assert tried["delta"] == board["dice-0.5"]["delta"] > 0
    assert second["experiments"] == []
    table = comp.ok("idea", "list")
    assert f"{100 * tried['delta']:+.2f}" in table
    assert max(map(len, table.splitlines())) <= 80


def test_mistakes_about_ideas_are_explained(comp: Comp, ready: Path) -> None:
    assert "The idea is empty" in comp.error("idea", "add", " ", "--as", "ann")
    assert "no member 'bob'" in comp.error("idea", "add", "x", "--as", "bob")
    assert "no idea '7'" in comp.error("run", "--as", "ann", "--idea", "7", "--set", "loss.dice=0.5")
    assert "No experiment yet" in comp.ok("leaderboard")


def test_notes_are_added_and_shown(comp: Comp, ready: Path) -> None:
    play(ready, blurred(0.3), note="the baseline")
    comp.ok("note", "b1", "thin objects are lost", "--as", "ann")
    assert comp.ok("note", "b1") == "the baseline\nthin objects are lost\n"
    assert json.loads(comp.ok("leaderboard", "--json"))[0]["note"] == "the baseline\nthin objects are lost"
    assert "no experiment 'b2'" in comp.error("note", "b2", "x", "--as", "ann")
    assert "The note is empty" in comp.error("note", "b1", "", "--as", "ann")
