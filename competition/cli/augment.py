"""`comp augment`: images before and after augmentation."""

from pathlib import Path
from typing import Annotated

import typer

from competition.api import open_competition
from competition.cli.options import DirOption, SetOption, add_group


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    augment = add_group(app, "augment", help="Show what augmentation does to images.")
    augment.command(epilog="Example: comp augment preview --set augment.pipeline=street")(preview)


def preview(
    what: Annotated[
        str | None,
        typer.Argument(metavar="CONFIG|EXPERIMENT", help="A YAML file, or an experiment.", show_default="the baseline"),
    ] = None,
    assignments: SetOption = None,
    images: Annotated[int, typer.Option(min=1, max=64, help="How many images.")] = 8,
    epoch: Annotated[int, typer.Option(min=1, help="Show the images of this epoch.")] = 1,
    output_file: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="The PNG to write.", show_default="in runs/report/augment"),
    ] = None,
    folder: DirOption = None,
) -> None:
    """Write a sheet of images before and after augmentation.

    Each image is changed exactly as that epoch changes it. With --set, it shows a configuration that was never run.
    Images that are mixed in or pasted may differ from those that a job takes. Void is hatched.
    """
    from competition.api.pictures import PreviewRequest, preview_augmentation
    from competition.cli.show import output

    request = PreviewRequest(what, assignments or (), images, epoch, output_file)
    output.print_lines(str(preview_augmentation(open_competition(folder), request)))
