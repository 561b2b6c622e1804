"""`comp note`: what the team learnt from an experiment."""

from typing import Annotated

import typer

from competition.api import open_competition
from competition.cli.options import AsOption, DirOption, JsonOption, acting_member


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp note dice-0.5 'thin objects gain, see fold 2' --as minsu")(note)


def note(
    experiment: Annotated[str, typer.Argument(help="An experiment.", show_default=False)],
    text: Annotated[str | None, typer.Argument(help="A line to add.", show_default="show the notes")] = None,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a line to an experiment's notes, or show them."""
    from competition.api import team
    from competition.cli.show import output

    opened = open_competition(folder)
    found = opened.experiment(experiment)
    if text is not None:
        found = team.add_note(opened, experiment, text, member=acting_member(opened.store, as_member))
    if as_json:
        output.print_json({"experiment": found.name, "note": found.note})
    elif text is not None:
        output.say(f"Noted with {found.name}.")
    else:
        output.print_lines(found.note or f"No note yet: comp note {found.name} TEXT")
