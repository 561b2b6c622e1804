"""`comp events`: who did what, when and why."""

from dataclasses import asdict
from typing import Annotated

import typer

from competition.api import open_competition
from competition.cli.options import DirOption, JsonOption


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp events dice-0.5")(events)


def events(
    name: Annotated[
        str | None, typer.Argument(help="An experiment, member, baseline or ensemble.", show_default="all")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="How many, the newest.")] = 50,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who did what, newest last."""
    from competition.cli.show import history, output
    from competition.store import events

    opened = open_competition(folder)
    found = events.history(opened.store, subject=name, most=most)[::-1]
    if as_json:
        output.print_json([asdict(event) for event in found])
    elif found:
        output.out().print(history.table(found))
    else:
        output.out().print(f"Nothing has happened to {name} yet." if name else "Nothing has happened yet.")
