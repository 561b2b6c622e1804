"""`comp events`: who did what, when and why."""

import time
from dataclasses import asdict
from typing import Annotated

import typer

from competition.cli.options import DirOption, JsonOption, open_competition


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
    from competition.cli import output
    from competition.store import events

    opened = open_competition(folder)
    found = events.history(opened.store, subject=name, most=most)[::-1]
    if as_json:
        output.print_json([asdict(event) for event in found])
        return
    if not found:
        output.out().print(f"Nothing has happened to {name} yet." if name else "Nothing has happened yet.")
        return
    table = output.table("when", "who", "what", "happened", wrap=("who", "what", "happened"))
    for event in found:
        when = time.strftime("%m-%d %H:%M:%S", time.localtime(event.at))
        happened = f"{event.action} ({event.why})" if event.why else event.action
        output.add_row(table, when, event.actor, event.subject, happened)
    output.out().print(table)
