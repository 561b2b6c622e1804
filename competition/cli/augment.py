"""`comp augment`: look at what training does to images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from competition.cli.options import Competition, DirOption, SetOption, add_group, open_competition

if TYPE_CHECKING:
    from competition.config import Config
    from competition.data.preview import Previewed
    from competition.report.sheet import Tile
    from competition.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    augment = add_group(app, "augment", help="Look at what training does to images.")
    augment.command(epilog="Example: comp augment preview --set augment.pipeline=street")(preview)


def preview(
    what: Annotated[
        str | None,
        typer.Argument(metavar="CONFIG|EXPERIMENT", help="A YAML file, or an experiment.", show_default="the baseline"),
    ] = None,
    assignments: SetOption = None,
    images: Annotated[int, typer.Option(min=1, max=64, help="How many images.")] = 8,
    epoch: Annotated[int, typer.Option(min=1, help="As this epoch sees them.")] = 1,
    output_file: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="The PNG to write.", show_default="in runs/report/augment"),
    ] = None,
    folder: DirOption = None,
) -> None:
    """Write a sheet of images before and after augmentation.

    It shows pixels exactly as that epoch would train on them; with --set, before anything is run. Void is hatched.
    """
    from competition.cli import output
    from competition.cli.study import read_manifest
    from competition.config import with_contents, with_overrides
    from competition.data.preview import PreviewSpec
    from competition.files import write_bytes
    from competition.queue.children import Nursery
    from competition.report.sheet import sheet_png

    opened = open_competition(folder)
    name, config = _find(opened, what)
    config = with_contents(with_overrides(config, assignments or []), opened.paths.root)
    items = read_manifest(opened).items
    chosen = tuple(items[i * len(items) // images] for i in range(min(images, len(items))))
    spec = PreviewSpec(opened.paths.root, config, opened.settings, chosen, epoch - 1)
    tiles = _tiles(Nursery().preview(spec), opened.settings)
    path = output_file or opened.paths.augment_preview(name)
    write_bytes(path, sheet_png(tiles))
    output.print_lines(str(path))


def _find(opened: Competition, what: str | None) -> "tuple[str, Config]":
    """The configuration that `what` names, and what to call its sheet."""
    from competition.config import read_config
    from competition.queue.submit import team_baseline
    from competition.store import experiments

    if what is None:
        return "baseline", team_baseline(opened.store)
    if what.endswith((".yaml", ".yml")):
        return Path(what).stem, read_config(Path(what))
    return what, experiments.find(opened.store, what).config


def _tiles(shown: "list[Previewed]", settings: "Settings") -> "list[Tile]":
    from competition.data.eda.choice import Shown
    from competition.report.palette import class_colours, leading_background
    from competition.report.sheet import tile

    colours, clear = class_colours(settings), 0 if leading_background(settings) else None
    tiles = []
    for image in shown:
        after = "after" if image.share == 1 else f"after, {image.share:.0%} of it and the rest of another"
        tiles.append(tile(Shown(image.id, "before"), image.image, image.mask, colours, clear))
        tiles.append(tile(Shown(image.id, after), image.new_image, image.new_mask, colours, clear))
    return tiles
