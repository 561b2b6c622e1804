import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import blurred, play
from tests.conftest import Comp


def board(comp: Comp) -> dict[str, Any]:
    return {m["member"]: m for m in json.loads(comp.ok("status", "--json"))["members"]}


def steps(line: dict[str, Any], role: str) -> str:
    return "\n".join(s["step"] for s in line["next"] if s["role"] == role)


def test_each_member_with_their_work_and_their_next_steps(comp: Comp, ready: Path) -> None:
    comp.ok("assign", "bob", "baseline", "ensemble")
    assert json.loads(comp.ok("status", "--json"))["vacant"] == ["eda", "research", "discussion"]
    assert "run the baseline" in steps(board(comp)["bob"], "baseline")
    play(ready, blurred(0.3), member="bob")
    play(ready, blurred(0.1), assignments=("loss.dice=0.5",))
    comp.ok("run", "--as", "ann", "--set", "loss.dice=0.7", "--detach")
    found = board(comp)
    ann, bob = found["ann"], found["bob"]
    assert (ann["queued"], bob["queued"], ann["running"]) == (3, 0, [])
    assert ann["last"]["name"] == "dice-0.5"
    assert ann["last"]["delta"] > 0
    assert bob["last"]["delta"] is None
    assert 0 < ann["device_seconds"] < 60
    assert "dice-0.5 scores higher, perhaps by luck: `comp run b1 --seeds 3`" in steps(bob, "baseline")
    assert "2 complete experiments are not blended" in steps(bob, "ensemble")
    assert "comp worker" in steps(ann, "training")
    shown = comp.ok("status")
    assert f"dice-0.5: {100 * ann['last']['delta']:+.2f}" in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80
    comp.ok("ensemble")
    assert "not blended" not in steps(board(comp)["bob"], "ensemble")


def test_eda_is_asked_for_a_check_and_a_report(comp: Comp, ready: Path) -> None:
    comp.ok("assign", "eve", "eda")
    assert "comp check" in steps(board(comp)["eve"], "eda")
    comp("check")
    after = steps(board(comp)["eve"], "eda")
    assert "the data is not checked" not in after
    assert "the EDA page is not made yet: `comp eda`" in after
    play(ready, blurred(0.3))
    comp.ok("split", "--scheme", "kfold", "--folds", "2", "--force", "--allow-leaks", "to see it")
    assert "the data is not checked" in steps(board(comp)["eve"], "eda")
    comp("check")
    assert "1 error or leak is open: `comp check`" in steps(board(comp)["eve"], "eda")


def test_ideas_and_the_quota_show_up(comp: Comp, ready: Path) -> None:
    comp.ok("assign", "bob", "research", "ensemble")
    comp.ok("idea", "add", "half the  Dice", "--as", "bob")
    play(ready, blurred(0.3))
    assert "idea 1, half the Dice" in steps(board(comp)["ann"], "training")
    play(ready, blurred(0.1), assignments=("loss.dice=0.5",))
    comp.ok("run", "--as", "ann", "--idea", "1", "--set", "loss.dice=0.5", "--detach")
    assert "`comp note dice-0.5 TEXT`" in steps(board(comp)["bob"], "research")
    comp.ok("note", "dice-0.5", "thin objects", "--as", "bob")
    assert "comp note" not in steps(board(comp)["bob"], "research")
    Path("competition.yaml").write_text(Path("competition.yaml").read_text() + "submissions_per_day: 2\n")
    assert "submissions left today: 2" in steps(board(comp)["bob"], "ensemble")
    comp.ok("submit", "b1", "--as", "bob")
    assert "submissions left today: 1" in steps(board(comp)["bob"], "ensemble")
    assert "`comp score 1 --public SCORE`" in steps(board(comp)["bob"], "ensemble")
