"""`comp init`: from folders of images and masks to a competition."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from competition.cli.options import SetOption

if TYPE_CHECKING:
    pass


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(
        epilog="Example: comp init --images images --masks masks --classes classes.txt --void 255 --size 256x320"
    )(init)


def init(
    images: Annotated[Path | None, typer.Option(help="Folder of training images.", show_default=False)] = None,
    masks: Annotated[
        Path | None, typer.Option(help="Folder of masks, same stems; or a COCO JSON or RLE CSV.", show_default=False)
    ] = None,
    classes: Annotated[
        Path | None,
        typer.Option(help="Text file: one class name a line; line 1 is value 0.", show_default="from the labels"),
    ] = None,
    test_images: Annotated[Path | None, typer.Option(help="Folder of test images.")] = None,
    void: Annotated[int | None, typer.Option(help="Mask value to ignore in training and scores.")] = None,
    binary: Annotated[
        bool, typer.Option("--binary", help="Masks hold 0 and 255.", show_default="where they do")
    ] = False,
    colors: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Masks hold colours: lines of name,#rrggbb.")
    ] = None,
    tolerance: Annotated[int, typer.Option(metavar="N", help="Tolerance per colour channel.")] = 0,
    mask_pattern: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="Stem of a mask: {stem}_Annotation.", show_default="{stem}")
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Table with the columns image, mask and, optionally, group.")
    ] = None,
    rle_csv: Annotated[Path | None, typer.Option(metavar="CSV", help="Labels as RLE.")] = None,
    image_column: Annotated[
        str | None, typer.Option(metavar="COL", help="Column with the image names.", show_default="detected")
    ] = None,
    rle_column: Annotated[
        str | None, typer.Option(metavar="COL", help="Column with the RLE.", show_default="detected")
    ] = None,
    class_column: Annotated[
        str | None, typer.Option(metavar="COL", help="Column with the classes.", show_default="detected, or none")
    ] = None,
    coco: Annotated[Path | None, typer.Option(metavar="JSON", help="Labels as COCO annotations.")] = None,
    test_coco: Annotated[Path | None, typer.Option(metavar="JSON", help="COCO list of the test images.")] = None,
    ignore: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of ignore masks (0 = ignored).")] = None,
    ignore_pattern: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="Stem of an ignore mask.", show_default="{stem}")
    ] = None,
    metric: Annotated[str, typer.Option(help="Metric that ranks: miou, dice, … or package.module:function.")] = "miou",
    group_regex: Annotated[
        str | None, typer.Option(metavar="RE", help="Regex on the file stem; its group 1 is the image's group.")
    ] = None,
    meta: Annotated[Path | None, typer.Option(metavar="CSV", help="A row per image, with its group.")] = None,
    group_column: Annotated[str | None, typer.Option(metavar="COL", help="The column of --meta to group by.")] = None,
    size: Annotated[
        str | None, typer.Option(metavar="HxW", help="Size of the model's input.", show_default="from the images")
    ] = None,
    strategy: Annotated[str, typer.Option(help="shared or independent.")] = "shared",
    name: Annotated[str | None, typer.Option(help="The competition's name.", show_default="the folder's")] = None,
    assignments: SetOption = None,
    folder: Annotated[Path | None, typer.Option("--dir", help="Folder to set up.", show_default="here")] = None,
) -> None:
    """Set up a competition from images and their labels.

    The labels are mask files (--masks, --pairs), RLE (--rle-csv) or COCO annotations (--coco). Indexes the
    data and writes competition.yaml, baseline.yaml and runs/; or writes nothing and names every problem.

    In a folder that has a competition.yaml (a clone of a team's repository), `comp init` alone indexes its data and
    makes the database.
    """
    from competition.api.create import CreateRequest, DataFiles, create, set_up_existing
    from competition.cli.show import data, output
    from competition.paths import Paths

    paths = Paths((folder or Path.cwd()).resolve())
    files = DataFiles(images, masks, pairs, rle_csv, coco, test_images, test_coco, ignore, meta)
    request = CreateRequest(
        files,
        classes=classes,
        colors=colors,
        reading={
            "binary": binary or None,
            "tolerance": tolerance or None,
            "mask_pattern": mask_pattern,
            "image_column": image_column,
            "rle_column": rle_column,
            "class_column": class_column,
            "ignore_pattern": ignore_pattern,
            "group_column": group_column,
            "group_regex": group_regex,
        },
        name=name,
        void=void,
        metric=metric,
        strategy=strategy,
        size=size,
        assignments=assignments or (),
    )
    is_clone = paths.competition.is_file() and files == DataFiles() and classes is None
    with output.progress_bar("Indexing images") as progress:
        created = set_up_existing(paths, progress=progress) if is_clone else create(paths, request, progress=progress)
    data.show_created(created)
