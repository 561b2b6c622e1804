"""`comp eda`: look at the data before training on it."""

from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import open_competition
from competition.cli.options import DirOption, JsonOption

if TYPE_CHECKING:
    pass

DEFAULT_SAMPLE = 1000


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp eda --sample 500")(eda)


def eda(
    sample: Annotated[
        int, typer.Option(min=1, help="Open at most this many labelled images, and as many test images.")
    ] = DEFAULT_SAMPLE,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of images.")] = 0,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explore the data: print a summary, and write a page.

    Covers classes, objects, their places and sizes, brightness and colour, kinds of images, near-duplicates, drift
    between training and test images, a contact sheet, and advice for training.
    """
    from competition.api.pictures import explore
    from competition.cli.show import data, output

    opened = open_competition(folder)
    survey, summary = explore(opened, most=sample, seed=seed, bars=output.progress_bar)
    page = opened.paths.eda_page
    if as_json:
        output.print_json({**summary, "page": str(page)})
        return
    data.show_survey(survey)
    output.say(f"The page: {page}")
