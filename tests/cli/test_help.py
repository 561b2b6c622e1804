"""What `comp --help` lists."""

import pytest
import typer

from competition.cli.app import COMMANDS, app_for
from tests.conftest import Comp

EVERY = app_for([])
GROUPS = [[], *([group.name] for group in EVERY.registered_groups if group.name)]


def names_in(app: typer.Typer) -> set[str]:
    commands = {c.name or c.callback.__name__ for c in app.registered_commands if c.callback}
    return commands | {group.name for group in app.registered_groups if group.name}


def test_the_list_names_every_command_that_its_modules_have() -> None:
    assert names_in(EVERY) == COMMANDS.keys()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_found_where_the_list_says(command: str) -> None:
    assert command in names_in(app_for([command, "--json"]))


@pytest.mark.parametrize("command", [["queue"], ["baseline", "show"]])
def test_a_command_says_of_itself_what_it_says_among_all(
    comp: Comp, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = comp.ok(*command, "--help")
    monkeypatch.setattr("competition.cli.app.app_for", lambda _: EVERY)
    assert alone == comp.ok(*command, "--help")


def test_a_mistyped_command_is_told_the_nearest(comp: Comp) -> None:
    assert "queue" in comp("queu").err


@pytest.mark.parametrize("group", GROUPS, ids=lambda words: " ".join(words) or "comp")
def test_no_line_about_a_command_is_cut(comp: Comp, group: list[str]) -> None:
    listed = comp.ok(*group, "--help").split("Commands:\n")[1]
    assert [line for line in listed.splitlines() if line.endswith("...")] == []
