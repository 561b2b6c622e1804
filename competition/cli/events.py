"""`comp events`: who did what, when and why."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import open_competition
from competition.cli.options import DirOption, JsonOption

if TYPE_CHECKING:
    from rich.table import Table

    from competition.store.events import Event


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp events dice-0.5")(events)


def events(
    name: Annotated[
        str | None, typer.Argument(help="An experiment, member, baseline or ensemble.", show_default="all")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="The newest so many.")] = 50,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what happened, newest last."""
    from competition.cli.show import output
    from competition.store import events

    opened = open_competition(folder)
    found = events.history(opened.store, subject=name, most=most)[::-1]
    if as_json:
        output.print_json([asdict(event) for event in found])
    elif found:
        output.out().print(render(found))
    else:
        output.out().print(f"Nothing has happened to {name} yet." if name else "Nothing has happened yet.")


def render(found: "Sequence[Event]", *, wrap: bool = True) -> "Table":
    """Events as a table that fits 80 columns; without `wrap`, each on one line and cut short, for a glance."""
    from competition.cli.show import output

    table = output.table("when", "who", "what", "happened", wrap=("who", "what", "happened"))
    for event in found:
        when = time.strftime("%m-%d %H:%M:%S" if wrap else "%H:%M:%S", time.localtime(event.at))
        cells = event.actor, event.subject, f"{event.action} ({event.why})" if event.why else event.action
        output.add_row(table, when, *(cells if wrap else map(output.clipped, cells)))
    return table
