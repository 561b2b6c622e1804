"""`comp eda`: look at the data before training on it."""

from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import open_competition
from competition.cli.options import DirOption, JsonOption

if TYPE_CHECKING:
    from rich.table import Table

    from competition.data.eda.survey import Survey

DEFAULT_SAMPLE = 1000


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp eda --sample 500")(eda)


def eda(
    sample: Annotated[
        int, typer.Option(min=1, help="Open at most so many labelled images, and so many test images.")
    ] = DEFAULT_SAMPLE,
    seed: Annotated[int, typer.Option(min=0, help="Which ones they are.")] = 0,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at the data: a summary here, and a page with pictures.

    Classes, objects, places, sizes, looks, kinds of images, twins, drift between training and test images, a contact
    sheet, and what all that suggests for training.
    """
    from competition.api.pictures import explore
    from competition.cli.show import output

    opened = open_competition(folder)
    survey, summary = explore(opened, most=sample, seed=seed, bars=output.progress_bar)
    page = opened.paths.eda_page
    if as_json:
        output.print_json({**summary, "page": str(page)})
        return
    _show(survey)
    output.say(f"The page: {page}")


def _show(found: "Survey") -> None:
    from competition.cli.show import output
    from competition.report import sentences

    output.out().print(_classes(found))
    output.out().print()
    for line in sentences.findings(found):
        output.print_lines(line)
    output.out().print()
    output.out().print(_advice(found))


def _classes(found: "Survey") -> "Table":
    from competition.cli.show import output
    from competition.data.eda.classes import median_frequency

    numbers = ("pixels %", "images", "objects", "an image", "length px", "weight")
    table = output.table("class", *numbers, right=numbers, wrap=("class",))
    weights = median_frequency(found.classes)
    for facts, objects, weight in zip(found.classes, found.objects, weights, strict=True):
        length = output.NOTHING if objects.median_side is None else f"{objects.median_side:.0f}"
        row = (output.percent(facts.share), facts.images, objects.objects, f"{objects.per_image:.1f}", length)
        output.add_row(table, facts.name, *row, f"{weight:.2f}")
    return table


def _advice(found: "Survey") -> "Table":
    from competition.cli.show import output

    table = output.table("suggestion", "what and why", wrap=("what and why",))
    for advice in found.advice:
        command = f"\ncomp run --set {advice.setting}" if advice.setting else ""
        output.add_row(table, advice.topic, f"{advice.what}. {advice.why}{command}")
    return table
