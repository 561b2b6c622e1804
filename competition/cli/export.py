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
    from competition.cli.sources import find_source
    from competition.ensemble import export as exporter
    from competition.store import experiments

    opened = open_competition(folder)
    found = find_source(opened, source)
    members = [
        exporter.Trained(
            member.name,
            experiments.find(opened.store, member.name).config,
            [opened.paths.job(member.name, fold) for fold in range(len(member.oof))],
        )
        for member in found.blend.members
    ]
    with output.progress_bar("Copying models") as progress:
        made = exporter.export(
            target,
            members,
            found.blend.weights,
            method=found.blend.method,
            classes=opened.settings.classes,
            root=opened.paths.root,
            postprocessing=found.blend.postprocessing,
            progress=progress,
        )
    if as_json:
        output.print_json(
            {"source": source, "path": str(target), "models": made.models, "requirements": list(made.requirements)}
        )
        return
    output.print_lines(str(target))
    output.say(f"{made.models} models of {source}, {made.bytes / 2**20:.0f} MiB.")
    output.say(f"Predict with them: `python {target / 'predict.py'} IMAGES OUT`.")
