"""What `comp --help` lists."""

import pytest

from competition.cli.app import app
from tests.conftest import Comp

GROUPS = [[], *([group.name] for group in app.registered_groups if group.name)]


@pytest.mark.parametrize("group", GROUPS, ids=lambda words: " ".join(words) or "comp")
def test_no_line_about_a_command_is_cut(comp: Comp, group: list[str]) -> None:
    listed = comp.ok(*group, "--help").split("Commands:\n")[1]
    assert [line for line in listed.splitlines() if line.endswith("...")] == []
