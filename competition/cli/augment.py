"""`comp augment`: look at what training does to images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import Competition, open_competition
from competition.cli.options import DirOption, SetOption, add_group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from competition.config.experiment import Config
    from competition.config.settings import Settings
    from competition.data.manifest import Item, Manifest
    from competition.data.preview import Previewed
    from competition.report.sheet import Tile


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

    Each image is changed exactly as that epoch would change it; with --set, before anything is run. What is mixed into
    it or pasted onto it may be of another image than a job would take. Void is hatched.
    """
    from competition.cli.image_checks import read_manifest
    from competition.cli.show import output
    from competition.config.experiment import with_contents, with_overrides
    from competition.data.preview import PreviewSpec
    from competition.errors import RefusedError
    from competition.files import write_bytes
    from competition.queue.children import ForkServer
    from competition.report.sheet import sheet_png

    opened = open_competition(folder)
    name, config = _find(opened, what)
    config = with_contents(with_overrides(config, assignments or []), opened.paths.root)
    if epoch > config.train.epochs:
        last = config.train.epochs
        raise RefusedError(f"There is no epoch {epoch}: train.epochs is {last}.", hint=f"`--epoch {last}` is the last.")
    manifest = read_manifest(opened)
    chosen = _evenly(manifest.items, images)
    config, donors = _rare(config, manifest, opened.settings, most=images)
    pasted = tuple(item for item in donors if item not in chosen)
    spec = PreviewSpec(opened.paths.root, config, opened.settings, (*chosen, *pasted), epoch - 1)
    tiles = _tiles(ForkServer().preview(spec)[: len(chosen)], opened.settings)
    path = output_file or opened.paths.augment_preview(name)
    write_bytes(path, sheet_png(tiles))
    output.print_lines(str(path))


def _find(opened: Competition, what: str | None) -> "tuple[str, Config]":
    """The configuration that `what` names, and what to call its sheet."""
    from competition.config.experiment import read_config
    from competition.experiments.request import team_baseline
    from competition.store import experiments

    if what is None:
        return "baseline", team_baseline(opened.store)
    if what.endswith((".yaml", ".yml")):
        return Path(what).stem, read_config(Path(what))
    return what, experiments.find(opened.store, what).config


def _evenly(items: "Sequence[Item]", most: int) -> "tuple[Item, ...]":
    count = min(most, len(items))
    return tuple(items[i * len(items) // count] for i in range(count))


def _rare(
    config: "Config", manifest: "Manifest", settings: "Settings", *, most: int
) -> "tuple[Config, tuple[Item, ...]]":
    """The configuration with the classes that are rare in all images, and images that these are pasted from."""
    from competition.data.rarity import find_rare

    sampling = config.sampling
    if not (sampling.rare_crop or config.mix.copy_paste):
        return config, ()
    rare = find_rare(manifest.items, settings.classes, sampling.rare)
    named = sampling.model_copy(update={"rare": [settings.classes[c] for c in rare.classes]})
    holders = rare.images if config.mix.copy_paste else ()
    donors = _evenly([manifest.item(image_id) for image_id in holders], most)
    return config.model_copy(update={"sampling": named}), donors


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
