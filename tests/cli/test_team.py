import json
from pathlib import Path

from tests.conftest import Comp


def test_assign_understands_spellings_and_lists(comp: Comp, ready: Path) -> None:
    comp.ok("assign", "bob", "EDA,ensembling", "solution-research")
    listed = json.loads(comp.ok("assign", "--list", "--json"))
    assert {m["name"]: m["roles"] for m in listed["members"]} == {
        "ann": ["lead", "training"],
        "bob": ["eda", "research", "ensemble"],
    }
    comp.ok("assign", "bob", "--remove", "EDA")
    history = json.loads(comp.ok("assign", "--list", "--json"))["history"]
    gone = [t for t in history if t["role"] == "eda"]
    assert len(gone) == 1
    assert gone[0]["revoked_at"] is not None
    assert "until" in comp.ok("assign", "--list")


def test_mistakes_in_assign_are_explained(comp: Comp, ready: Path) -> None:
    assert "Did you mean 'training'?" in comp.error("assign", "bob", "trainning")
    assert "No role is given for bob" in comp.error("assign", "bob")
    assert "No member is given" in comp.error("assign")
    assert "There is no member 'bob'" in comp.error("assign", "bob", "--remove", "eda")
    assert "not both at once" in comp.error("assign", "ann", "eda", "--remove", "lead")
    assert "it is empty" in comp.error("assign", " ", "eda")
    assert "bob" not in comp.ok("assign", "--list")


def test_every_line_fits_80_columns(comp: Comp, ready: Path) -> None:
    for command in (["status"], ["assign", "--list"], ["baseline", "show"], ["split", "--folds", "2"]):
        assert max(len(line) for line in comp.ok(*command).splitlines()) <= 80
