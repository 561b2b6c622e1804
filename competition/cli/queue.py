"""`comp queue`: what runs and what waits."""

from typing import Annotated

import typer

from competition.api import open_competition
from competition.cli.options import DirOption, JsonOption
from competition.errors import CompError


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp queue")(queue)


def queue(
    name: Annotated[str | None, typer.Argument(help="Only this experiment.", show_default="all")] = None,
    why: Annotated[bool, typer.Option("--why", help="Say what each job of NAME waits for.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="Rows to show.")] = 40,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what runs and what waits, in order.

    Higher priority goes first, then the member who used the devices least lately, then the older job. `turn` is the
    place in that order, `in` the expected time until the job starts.
    """
    from competition.api.queue import reasons, view
    from competition.cli.show import jobs, output

    opened = open_competition(folder)
    if why and name is None:
        raise CompError("--why is about one experiment.", hint="`comp queue NAME --why`")
    shown = view(opened, name, most=None if as_json else most)
    if why:
        jobs.show_reasons(shown, reasons(opened, shown), as_json=as_json)
    elif as_json:
        output.print_json(shown.to_json())
    else:
        jobs.show(shown, most=most)
