"""The blocks of the how-to on notebooks, run one after the other in one name space, as a notebook runs them."""

import re
from pathlib import Path
from typing import Any

import pytest

from competition.lifecycle import ExperimentState
from tests.cli.conftest import labels_of, play
from tests.conftest import Comp

HOW_TO = Path(__file__).parent.parent / "docs" / "how-to" / "notebook.md"


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), flags=re.DOTALL)


def run_blocks(names: dict[str, Any], texts: list[str]) -> None:
    for number, text in enumerate(texts):
        exec(compile(text, f"block {number} of {HOW_TO.name}", "exec"), names)


@pytest.fixture
def filled(comp: Comp, ready: Path) -> Path:
    """A competition with a complete experiment and an ensemble."""
    play(ready, lambda item, _: labels_of(item.id))
    comp.ok("ensemble", "--method", "mean", "--name", "blend", "--as", "ann")
    return ready


def test_the_blocks_that_train_nothing_run(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    texts = blocks()
    assert "comp.run(" in texts[-1]
    capsys.readouterr()
    run_blocks(names, texts[:-1])
    assert [row.name for row in names["rows"]] == ["b1"]
    assert names["table"][0]["score"] == names["best"].score
    assert names["submitted"].new_jobs == 3
    assert names["made"].target.is_file()
    printed = capsys.readouterr().out
    assert "blend" in printed
    assert "lr-0.002 3 jobs queued" in printed


@pytest.mark.slow
def test_the_block_that_trains_runs(filled: Path) -> None:
    names: dict[str, Any] = {}
    run_blocks(names, blocks())
    assert names["row"].name == "lr-0.002"
    assert names["row"].state is ExperimentState.COMPLETE
