"""`comp compare --page`: what stands on it, beside it, and in --json."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from competition.paths import Paths
from tests.cli.conftest import blurred, play
from tests.conftest import Comp
from tests.report.parsing import read

NAME = """실험 $a$ <b>'x' 🎯"""


@pytest.fixture
def two(ready: Path) -> Path:
    """A baseline that errs at 40 % of the pixels, and a better experiment."""
    play(ready, blurred(0.4))
    play(ready, blurred(0.1, seed=1), name=NAME, assignments=("loss.dice=0.5",))
    return ready


def test_the_page_is_whole_and_its_pictures_lie_beside_it(comp: Comp, two: Path) -> None:
    ran = comp("compare", "b1", NAME, "--page")
    assert ran.code == 0
    assert "calibration" in ran.out
    page = Paths(two).comparison_page("b1", NAME)
    assert str(page) in ran.err.replace("\n", "")
    parsed = read(page)
    for said in (f"{NAME} against b1", "loss.dice", "IoU", "changed most", "expected error", "only B is right"):
        assert said in parsed.text, said
    assert all(address.startswith(("#", "data:")) for address in parsed.addresses)
    assert sorted(p.name for p in page.parent.iterdir()) == [
        "calibration.png",
        "changes.png",
        "index.html",
        "scatter.png",
    ]
    with Image.open(page.with_name("changes.png")) as sheet:
        assert sheet.width > 100


def test_json_has_everything_and_the_calibration_by_hand(comp: Comp, two: Path) -> None:
    found = json.loads(comp.ok("compare", "b1", NAME, "--page", "--json"))
    assert found["page"] == str(Paths(two).comparison_page("b1", NAME))
    assert found["code"] == {"files": [], "recorded": [], "uncommitted": ["", ""]}
    for name in ("b1", NAME):
        measured = found["calibration"][name]
        # the made-up models are certain of every pixel, so their error is the share that they get wrong
        assert measured["confidence"] == 1
        assert measured["error"] == pytest.approx(1 - measured["accuracy"])
        assert len(measured["bins"]) == 1
    assert found["calibration"]["b1"]["error"] > found["calibration"][NAME]["error"] > 0


def test_without_the_flag_no_probability_is_read(comp: Comp, two: Path) -> None:
    for fold in range(2):
        Paths(two).job("b1", fold).oof.unlink()
    assert "calibration" not in json.loads(comp.ok("compare", "b1", NAME, "--json"))
    assert not Paths(two).comparison_page("b1", NAME).exists()
    assert "may have been pruned" in comp.error("compare", "b1", NAME, "--page")


def test_what_is_not_complete_is_named(comp: Comp, two: Path) -> None:
    comp.ok("run", "--as", "ann", "--set", "loss.dice=0.25", "--detach")
    ran = comp("compare", "b1", "dice-0.25")
    assert (ran.code, "Verdict" in ran.out) == (0, False)
    assert "No verdict: dice-0.25 is not complete" in ran.err


def test_a_page_takes_two_different_results(comp: Comp, two: Path) -> None:
    assert "two different experiments" in comp.error("compare", "b1", "b1", "--page")


def test_own_code_and_what_was_not_committed_are_shown(comp: Comp, two: Path) -> None:
    paths = Paths(two)
    for name, line in (("b1", "width = 8"), (NAME, "width = 16  # <b>")):
        folder = paths.experiment_code(name)
        folder.mkdir(parents=True)
        (folder / "net.py").write_text(f"import torch\n{line}\n")
        git = {"commit": "ab" * 20, "diff_sha256": name, "diff": f"+# by {name}"}
        record = paths.job(name, 0).record
        record.write_text(json.dumps({"git": git, "packages": {"torch": "1" if name == "b1" else "2"}}))
    text = comp.ok("compare", "b1", NAME)
    for said in ("-width = 8", "+width = 16  # <b>", f"Not committed when {NAME} ran", "packages.torch"):
        assert said in text, said
    comp.ok("compare", "b1", NAME, "--page")
    page = read(paths.comparison_page("b1", NAME)).text
    for said in ("-width = 8", "+width = 16  # <b>", f"Not committed when {NAME} ran", "packages.torch"):
        assert said in page, said


def test_open_hands_the_page_to_the_browser(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = two / "browser"
    browser.write_text('#!/bin/sh\necho "$1" > opened\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    command = [sys.executable, "-m", "competition", "compare", "b1", NAME, "--open"]
    subprocess.run(command, check=True, cwd=two, capture_output=True)
    assert (two / "opened").read_text().strip() == Paths(two).comparison_page("b1", NAME).as_uri()
