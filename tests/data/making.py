"""Makers of small images, items and data sets on disk."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from competition.config.settings import Settings
from competition.data.index import index_data
from competition.data.manifest import Item, Manifest


def save(pixels: NDArray[Any], path: Path, **options: Any) -> Path:
    """Write pixels as an image file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def make_settings(*, classes: int = 3, void: int | None = None, **data: Any) -> Settings:
    """Settings with classes a, b, c, … and the folders images and masks."""
    return Settings.model_validate(
        {
            "name": "small",
            "classes": tuple("abcdefgh"[:classes]),
            "void": void,
            "data": {"images": "images", "masks": "masks", **data},
        }
    )


def index(settings: Settings, root: Path, **options: Any) -> Manifest:
    """The manifest of the data that the settings describe."""
    return index_data(settings, root, **options).manifest


def make_data(root: Path, ids: tuple[str, ...] = ("a1", "a2", "b1"), *, size: tuple[int, int] = (4, 6)) -> None:
    """Images of one colour each; the mask of image number k holds class k mod 3, and one pixel of class 0."""
    for number, image_id in enumerate(ids):
        save(np.full((*size, 3), 10 * number, np.uint8), root / "images" / f"{image_id}.png")
        mask = np.full(size, number % 3, np.uint8)
        mask[0, 0] = 0
        save(mask, root / "masks" / f"{image_id}.png")


def item(image_id: str, pixels: tuple[int, ...] = (50, 50), *, group: str = "", **changes: Any) -> Item:
    """A labelled image of 10x10 pixels, of which no file exists."""
    values = {"void": 100 - sum(pixels), "image_sha256": f"i-{image_id}", "mask_sha256": f"m-{image_id}", **changes}
    return Item(image_id, f"{image_id}.png", f"{image_id}.png", group, 10, 10, pixels=pixels, **values)


def unlabelled_item(image_id: str) -> Item:
    """A test image."""
    return Item(image_id, f"{image_id}.png", "", "", 10, 10, f"i-{image_id}", "", (), 0)


def make_manifest(*pixels: tuple[int, ...], groups: str = "") -> Manifest:
    """Images i0, i1, … with these pixels, and where `groups` are given, these groups (a letter each)."""
    letters = groups or " " * len(pixels)
    items = [item(f"i{k}", p, group=g.strip()) for k, (p, g) in enumerate(zip(pixels, letters, strict=True))]
    return Manifest(tuple(items))
