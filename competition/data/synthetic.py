"""A made-up data set to try comp on: street litter in eleven classes, photographed in scenes."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from competition.data.images import Pixels
from competition.data.litter import KINDS, Kind
from competition.data.streets import make_street
from competition.files import replacing, write_text

CLASSES = ("background", *(kind.name for kind in KINDS))
IMAGES_A_SCENE = 8

_FINER = 4
"""Outlines are drawn this many times as large, then averaged down, so that edges are soft."""


def make_street_litter(
    folder: Path, *, images: int = 100, test_images: int = 20, size: tuple[int, int] = (128, 128), seed: int = 0
) -> None:
    """Write a data set: images/, masks/ and test_images/ (PNG), classes.txt, and meta.csv with a group per image.

    Eight images make a scene: one street under one light, seen at different places, with other litter each time. A
    file is called after its scene (`scene03_07.png`). Test images show scenes of their own. The same arguments give
    the same pixels.

    Args:
        size: (height, width) in pixels.
    """
    rng = np.random.default_rng(seed)
    for part in ("images", "masks", "test_images"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    labelled = _shots(images, first_scene=1, has_mask=True)
    test = _shots(test_images, first_scene=2 + (images - 1) // IMAGES_A_SCENE, has_mask=False)
    pieces = _dealt_pieces(rng)
    for _, shots in groupby([*labelled, *test], key=lambda shot: shot.scene):
        street = make_street(rng, (2 * size[0], 2 * size[1]))
        for shot in shots:
            image, labels = _photograph(rng, street, size, pieces)
            _save(image, folder / ("images" if shot.has_mask else "test_images") / shot.file)
            if shot.has_mask:
                _save(labels, folder / "masks" / shot.file)
    write_text(folder / "classes.txt", "\n".join(CLASSES) + "\n")
    write_text(folder / "meta.csv", _meta(labelled))


@dataclass(frozen=True)
class _Shot:
    scene: int
    number: int
    has_mask: bool

    @property
    def group(self) -> str:
        return f"scene{self.scene:02}"

    @property
    def file(self) -> str:
        return f"{self.group}_{self.number:02}.png"


def _shots(images: int, *, first_scene: int, has_mask: bool) -> list[_Shot]:
    return [_Shot(first_scene + i // IMAGES_A_SCENE, i % IMAGES_A_SCENE, has_mask) for i in range(images)]


def _meta(shots: list[_Shot]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("file", "group"), *((shot.file, shot.group) for shot in shots)])
    return text.getvalue()


def _dealt_pieces(rng: np.random.Generator) -> Iterator[int]:
    """Labels of pieces of litter without end, deck after shuffled deck: chance cannot leave a rare class out."""
    deck = [label for label, kind in enumerate(KINDS, start=1) for _ in range(kind.in_deck)]
    while True:
        yield from rng.permutation(deck).tolist()


def _photograph(
    rng: np.random.Generator, street: NDArray[np.float64], size: tuple[int, int], pieces: Iterator[int]
) -> tuple[Pixels, Pixels]:
    """A place of the street with a few pieces of litter on it, later ones over earlier ones, and its labels."""
    height, width = size
    top, left = rng.integers(0, (height + 1, width + 1))
    image = street[top : top + height, left : left + width].copy()
    labels = np.zeros(size, dtype=np.uint8)
    for _ in range(rng.integers(2, 8)):
        label = next(pieces)
        _drop(rng, image, labels, KINDS[label - 1], label)
    image *= rng.uniform(0.92, 1.08)
    image += rng.normal(0, 3.5, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), labels


def _drop(rng: np.random.Generator, image: NDArray[np.float64], labels: Pixels, kind: Kind, label: int) -> None:
    """Paint one piece of litter, with its shadow, somewhere into the image, and its label into the labels."""
    height, width = labels.shape
    length = rng.uniform(*kind.length) * min(height, width)
    centre = rng.uniform((0.05 * height, 0.05 * width), (0.95 * height, 0.95 * width))
    turn = rng.uniform(0, 2 * np.pi)
    rotation = np.array([(np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))])
    xy = kind.outline(rng) @ rotation.T * length + centre[::-1]
    cover = _cover(xy, labels.shape)
    brightness = image.mean() / 128
    image *= 1 - 0.4 * _cover(xy + 2, labels.shape)[..., None]
    rows, columns = np.indices(labels.shape)
    frame = np.stack([columns - centre[1], rows - centre[0]], axis=-1) @ rotation / length
    colour = kind.paint(rng, frame[..., 0], frame[..., 1]) * np.clip(0.55 + 0.45 * brightness, 0.55, 1.1)
    seen = (cover * rng.uniform(*kind.opacity))[..., None]
    image[:] = image * (1 - seen) + colour * seen
    labels[cover > 0.5] = label


def _cover(xy: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """How much of each pixel (H, W) lies inside an outline of points (x, y), 0..1."""
    canvas = Image.new("L", (shape[1] * _FINER, shape[0] * _FINER))
    ImageDraw.Draw(canvas).polygon([(float(x), float(y)) for x, y in xy * _FINER], fill=255)
    return np.asarray(canvas.reduce(_FINER)) / 255.0


def _save(pixels: Pixels, path: Path) -> None:
    with replacing(path) as aside:
        Image.fromarray(pixels).save(aside, format="PNG")
