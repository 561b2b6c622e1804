"""The README's story, run as it stands there, on a smaller set of the same kind."""

import re
import shlex
from pathlib import Path

import pytest

from competition.demo import make_street_litter
from tests.conftest import Comp

README = Path(__file__).parent.parent / "README.md"


def commands() -> list[list[str]]:
    """The arguments of every `comp …` line of the first block that starts with one (continued lines joined)."""
    text = README.read_text(encoding="utf-8").replace("\\\n", " ")
    block = next(b for b in re.findall(r"```\n(.*?)```", text, flags=re.DOTALL) if "\ncomp init" in b)
    return [shlex.split(line, comments=True)[1:] for line in block.splitlines() if line.startswith("comp ")]


@pytest.mark.slow
def test_the_story_of_the_readme_runs(comp: Comp) -> None:
    make_street_litter(Path.cwd(), images=16, test_images=2, size=(64, 64))
    story = commands()
    assert [c[0] for c in story][:2] == ["init", "assign"]
    assert story[-1][0] == "submit"
    for command in story:
        comp.ok(*command)
    assert Path("runs/submissions/final-labels-csv.csv").is_file()
