"""The list that `comp --help` prints."""

import pytest
import typer

from competition.cli.app import COMMANDS, make_app
from tests.conftest import Comp

EVERY = make_app()
GROUPS = [[], *([group.name] for group in EVERY.registered_groups if group.name)]


def names_in(app: typer.Typer) -> set[str]:
    commands = {c.name or c.callback.__name__ for c in app.registered_commands if c.callback and not c.hidden}
    return commands | {group.name for group in app.registered_groups if group.name}


def test_the_list_names_every_command_that_its_modules_have() -> None:
    listed = [command for commands in COMMANDS.values() for command in commands]
    assert sorted(listed) == sorted(names_in(EVERY))


def test_every_command_stands_under_its_heading(comp: Comp) -> None:
    lines = comp.ok("--help").splitlines()
    for heading, commands in COMMANDS.items():
        first = lines.index(f"{heading}:") + 1
        assert [line.split()[0] for line in lines[first : first + len(commands)]] == list(commands)


def test_a_mistyped_command_is_told_the_nearest(comp: Comp) -> None:
    assert "queue" in comp("queu").err


@pytest.mark.parametrize("group", GROUPS, ids=lambda words: " ".join(words) or "comp")
def test_no_line_about_a_command_is_cut(comp: Comp, group: list[str]) -> None:
    listed = comp.ok(*group, "--help").split("Show this message and exit.\n")[1]
    assert [line for line in listed.splitlines() if line.endswith("...")] == []
