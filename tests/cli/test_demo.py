from pathlib import Path

import pytest

from competition import demo
from tests.conftest import Comp


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo with few images and without what trains; the README's test plays that with the same commands."""
    whole = demo.story()
    assert [command.split()[0] for command in whole].count("run") == 4
    monkeypatch.setattr(demo, "IMAGES", 24)
    monkeypatch.setattr(demo, "TEST_IMAGES", 2)
    kept = [command for command in whole if command.split()[0] in ("init", "assign", "split", "status")]
    monkeypatch.setattr(demo, "story", lambda: kept)


def test_each_command_is_shown_and_run_in_the_demos_folder(comp: Comp, short: None) -> None:
    ran = comp("demo", "played")
    assert ran.code == 0, ran.err
    assert "$ comp split --scheme stratified-group --folds 2" in ran.err
    assert "jiwoo" in ran.out, "the table of `comp assign`"
    assert len(list(Path("played/images").iterdir())) == 24
    assert not Path("competition.yaml").exists(), "the working directory is as it was"
    assert comp.ok("assign", "--list", "--dir", "played")


def test_only_another_demo_is_replaced(comp: Comp, short: None) -> None:
    Path("work").mkdir()
    Path("work/thesis.txt").write_text("years of it")
    assert "work exists already" in comp.error("demo", "work")
    assert "holds files that are not from the demo" in comp.error("demo", "work", "--again")
    assert Path("work/thesis.txt").read_text() == "years of it"
    assert comp("demo", "played").code == 0
    assert comp("demo", "played").code == 1
    Path("played/left-over").touch()
    assert comp("demo", "played", "--again").code == 0
    assert not Path("played/left-over").exists()


def test_an_error_in_the_story_is_the_demos_error(comp: Comp, short: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "story", lambda: ["split --scheme kfold"])
    assert "competition.yaml" in comp.error("demo", "played")
