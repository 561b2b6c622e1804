"""`comp export`: a folder that predicts without comp."""

from pathlib import Path
from typing import Annotated

import typer

from competition.api import open_competition
from competition.cli.options import DirOption, JsonOption


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp export e1 final && python final/predict.py test_images masks")(export)


def export(
    source: Annotated[str, typer.Argument(metavar="ENSEMBLE|EXPERIMENT", help="Whose models.")],
    target: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is empty or not there yet.")],
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the models and a program that predicts without comp.

    `python DIR/predict.py IMAGES OUT` needs torch, segmentation-models-pytorch, numpy and pillow. On the machine that
    trained, it writes the competition's own test predictions, byte for byte.
    """
    from competition.cli.show import output
    from competition.ensemble.export import export_source

    opened = open_competition(folder)
    with output.step_bars() as progress:
        made = export_source(opened.store, opened.settings, source, target, progress=progress)
    if as_json:
        output.print_json(
            {"source": source, "path": str(target), "models": made.models, "requirements": list(made.requirements)}
        )
        return
    output.print_lines(str(target))
    output.say(f"{made.models} models of {source}, {made.bytes / 2**20:.0f} MiB.")
    output.say(f"Predict with them: `python {target / 'predict.py'} IMAGES OUT`.")
