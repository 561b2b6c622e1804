"""The page of `comp compare --page`: two complete experiments, in numbers and in pictures."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from competition import __version__
from competition.config.settings import Settings
from competition.data.load import open_loader
from competition.data.manifest import Manifest
from competition.data.parallel import Progress
from competition.paths import Paths
from competition.report.codediff import CodeDiff
from competition.report.comparison_pictures import calibrate, change_rows, oof_shards, reliability, scatter
from competition.report.overlay import thumbnail_uri
from competition.report.pages import render, write_page
from competition.report.sheet import gallery
from competition.report.theme import picture
from competition.scoring.calibration import Calibration
from competition.scoring.imagewise import ImageChange, most_changed
from competition.wording import Fact, percent

PICTURED = 10
"""So many of the images that changed most are shown."""


@dataclass(frozen=True)
class Compared:
    """What was found out about experiments a and b without looking at an image.

    Args:
        numbers: as `comp compare --json` prints them.
        said: the verdict in sentences.
        images: every image that can be scored by itself.
    """

    a: str
    b: str
    numbers: Mapping[str, Any]
    said: Sequence[str]
    code: CodeDiff
    images: Sequence[ImageChange]


def write_comparison(
    paths: Paths,
    settings: Settings,
    manifest: Manifest,
    compared: Compared,
    *,
    folds: int,
    progress: Progress | None = None,
) -> tuple[Path, dict[str, Calibration]]:
    """Write the page and, beside it, its pictures; its path, and the calibration of both experiments by name.

    Raises:
        DataError: stored probabilities are gone or damaged, or an image has changed since it was indexed.
    """
    names = (compared.a, compared.b)
    sides = (oof_shards(paths, names[0], folds), oof_shards(paths, names[1], folds))
    loader = open_loader(settings, paths.root)
    measured = calibrate(sides, lambda image_id: loader.labels(manifest.item(image_id)), progress=progress)
    calibrations = dict(zip(names, measured, strict=True))
    pictures = [
        picture("calibration", "lines: how often pixels of a confidence are right", partial(reliability, calibrations))
    ]
    if compared.images:
        alt = f"dots: score of each image in {names[1]} by that in {names[0]}"
        pictures.append(picture("scatter", alt, partial(scatter, compared.images, names)))
    files = {f"{made.name}.png": made.light for made in pictures}
    shown = most_changed(compared.images, PICTURED)
    if shown:
        titles = ("image", "truth", f"A: {names[0]}", f"B: {names[1]}", "changed: blue B right, orange A right")
        files["changes.png"] = gallery(titles, change_rows(shown, sides, loader, manifest))
    html = render(
        "comparison.html",
        title=f"{names[1]} against {names[0]}",
        competition=settings.name,
        metric=str(settings.metric),
        facts=_facts(compared.numbers),
        found=compared.numbers,
        a=names[0],
        b=names[1],
        said=compared.said,
        code=compared.code,
        pictures={made.name: made for made in pictures},
        changes=_small(files["changes.png"]) if shown else None,
        calibrations=calibrations,
        scale=_scale(compared.numbers),
        version=__version__,
    )
    page = paths.comparison_page(*names)
    write_page(page, html, files)
    return page, calibrations


def _facts(numbers: Mapping[str, Any]) -> list[Fact]:
    score, verdict = numbers["score"], numbers["verdict"]
    ends = (
        f"{percent(verdict['low'], signed=True)} to {percent(verdict['high'], signed=True)}"
        if verdict["low"] is not None
        else ""
    )
    return [
        Fact("A", percent(score["a"]), numbers["a"]),
        Fact("B", percent(score["b"]), numbers["b"]),
        Fact("difference", percent(score["delta"], signed=True), ends),
        Fact("verdict", verdict["call"], f"of B against A, {verdict['units']} images or groups"),
    ]


def _scale(numbers: Mapping[str, Any]) -> float:
    """What the ends of the classes' bars stand for."""
    halves = numbers["verdict"]["class_half"]
    deltas = {name: pair["delta"] for name, pair in numbers["class_iou"].items()}
    return max([abs(deltas[n]) + h for n, h in halves.items() if h is not None and deltas[n] is not None], default=0.0)


def _small(png: bytes) -> str:
    """A sheet as an address that holds it."""
    return thumbnail_uri(np.asarray(Image.open(io.BytesIO(png)).convert("RGB")))
