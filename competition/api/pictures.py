"""Pictures of an opened competition's data: the page that explores it, and images before and after augmentation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from competition.api.data import Bars, no_bars
from competition.config.experiment import Config, read_config, with_contents, with_overrides
from competition.data.load import open_loader
from competition.data.manifest import Item, Manifest
from competition.data.preview import Previewed, PreviewSpec
from competition.errors import RefusedError
from competition.files import write_bytes, write_json

if TYPE_CHECKING:
    from competition.api.opened import Competition
    from competition.config.settings import Settings
    from competition.data.eda.survey import Survey
    from competition.report.sheet import Tile


def explore(
    opened: "Competition", *, most: int = 1000, seed: int = 0, bars: Bars = no_bars
) -> "tuple[Survey, dict[str, object]]":
    """Explore the data and write the page about it; the survey, and its summary as plain values.

    Args:
        most: open no more labelled images, and no more test images.
        seed: which images are opened, where there are more.
    """
    from competition.data.eda.summary import summarise
    from competition.data.eda.survey import survey
    from competition.report.eda import write_eda_page

    paths, settings, manifest = opened.paths, opened.settings, opened.manifest
    with bars("Looking at images") as progress:
        surveyed = survey(
            manifest,
            settings,
            paths.root,
            config=read_config(paths.baseline),
            hash_file=paths.looks(manifest.fingerprint),
            most=most,
            seed=seed,
            progress=progress,
        )
    write_eda_page(surveyed, manifest, open_loader(settings, paths.root), paths)
    summary = summarise(surveyed)
    write_json(paths.eda_summary, summary)
    return surveyed, summary


@dataclass(frozen=True)
class PreviewRequest:
    """Which images to show as which epoch of a configuration changes them.

    Args:
        source: an experiment, or a YAML file; None is the team's baseline.
        assignments: `KEY=VALUE` overrides.
        images: how many.
        epoch: the first is 1.
        file: the PNG to write; None writes to runs/report/augment.
    """

    source: str | None = None
    assignments: Sequence[str] = ()
    images: int = 8
    epoch: int = 1
    file: Path | None = None


def preview_augmentation(opened: "Competition", request: PreviewRequest) -> Path:
    """Write a sheet of images before and after augmentation; the PNG.

    Raises:
        CompError: the configuration is wrong, or has no such epoch.
    """
    from competition.report.sheet import sheet_png

    name, config = _configuration(opened, request.source)
    config = with_contents(with_overrides(config, list(request.assignments)), opened.paths.root)
    last = config.train.epochs
    if request.epoch > last:
        raise RefusedError(f"There is no epoch {request.epoch}: train.epochs is {last}.", hint=f"Give --epoch {last}.")
    manifest = opened.manifest
    chosen = _evenly(manifest.items, request.images)
    config, donors = _with_rare_classes(config, manifest, opened.settings, most=request.images)
    pasted = tuple(item for item in donors if item not in chosen)
    spec = PreviewSpec(opened.paths.root, config, opened.settings, (*chosen, *pasted), request.epoch - 1)
    tiles = _tiles(opened.fork_server.preview(spec)[: len(chosen)], opened.settings)
    path = request.file or opened.paths.augment_preview(name)
    write_bytes(path, sheet_png(tiles))
    return path


def _configuration(opened: "Competition", source: str | None) -> tuple[str, Config]:
    """The configuration that `source` names, and what to call its sheet."""
    from competition.experiments.baseline import team_baseline

    if source is None:
        return "baseline", team_baseline(opened.store)
    if source.endswith((".yaml", ".yml")):
        return Path(source).stem, read_config(Path(source))
    return source, opened.experiment(source).config


def _evenly(items: Sequence[Item], most: int) -> tuple[Item, ...]:
    count = min(most, len(items))
    return tuple(items[i * len(items) // count] for i in range(count))


def _with_rare_classes(
    config: Config, manifest: Manifest, settings: "Settings", *, most: int
) -> tuple[Config, tuple[Item, ...]]:
    """The configuration with the classes that are rare in all images, and images that these are pasted from."""
    from competition.data.rare_classes import find_rare_classes

    sampling = config.sampling
    if not (sampling.rare_crop or config.mix.copy_paste):
        return config, ()
    rare = find_rare_classes(manifest.items, settings.classes, sampling.rare)
    named = sampling.model_copy(update={"rare": [settings.classes[c] for c in rare.classes]})
    holders = rare.images if config.mix.copy_paste else ()
    donors = _evenly([manifest.item(image_id) for image_id in holders], most)
    return config.model_copy(update={"sampling": named}), donors


def _tiles(previewed: Sequence[Previewed], settings: "Settings") -> "list[Tile]":
    from competition.data.eda.examples import Example
    from competition.report.palette import class_colours, leading_background
    from competition.report.sheet import tile

    colours, clear = class_colours(settings), 0 if leading_background(settings) else None
    tiles = []
    for image in previewed:
        after = "after" if image.share == 1 else f"after, {image.share:.0%} of it and the rest of another"
        tiles.append(tile(Example(image.id, "before"), image.image, image.mask, colours, clear))
        tiles.append(tile(Example(image.id, after), image.new_image, image.new_mask, colours, clear))
    return tiles
