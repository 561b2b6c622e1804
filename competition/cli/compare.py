"""`comp compare`: experiments side by side."""

from typing import Annotated

import typer

from competition.api import open_competition
from competition.cli.options import DirOption, JsonOption


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("compare", epilog="Example: comp compare b1 dice-0.5 --open")(compare_)


def compare_(
    first: Annotated[str, typer.Argument(metavar="A", help="An experiment.", show_default=False)],
    others: Annotated[
        list[str], typer.Argument(metavar="B...", help="Experiments to compare with A.", show_default=False)
    ],
    page: Annotated[
        bool, typer.Option("--page", help="Write a page with pictures; it reads every stored probability.")
    ] = False,
    open_it: Annotated[bool, typer.Option("--open", help="Write the page, and open it in the browser.")] = False,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show experiments side by side.

    Shows the keys and the code in which they differ, the verdict, each class, each fold, and the images that changed
    most. The page has a dot for each image, the images that changed most with truth and both predictions, and the
    calibration of each experiment.
    """
    from competition.api.compare import compare
    from competition.cli.show import output, side_by_side

    pairs = compare(open_competition(folder), first, others, page=page or open_it, bars=output.progress_bar)
    for pair in pairs:
        for note in pair.notes:
            output.say(note)
    if as_json:
        output.print_json(pairs[0].to_json() if len(pairs) == 1 else [pair.to_json() for pair in pairs])
    else:
        for number, pair in enumerate(pairs):
            if number:
                output.out().print()
            side_by_side.show(pair.a, pair.b, pair.differences, pair.code)
    for pair in pairs:
        if pair.page is not None:
            output.say(f"The page: {pair.page}")
        if pair.page is not None and open_it:
            output.open_in_browser(pair.page)
