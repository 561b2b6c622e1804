"""A folder with a PNG per image, named by the image's id: class indices, or the colours that the masks came in."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from competition.config.settings import IGNORE_INDEX
from competition.data.images import read_image, read_mask
from competition.ensemble.predict import write_pngs
from competition.errors import RefusedError
from competition.scoring.confusion import Labels
from competition.submission.layout import Layout, Prediction


def write(predictions: Iterable[Prediction], target: Path, layout: Layout) -> int:
    """Write class indices (8-bit grey) to the folder `target`, which is replaced as a whole; the number of images."""
    return write_pngs(((image_id, labels) for image_id, _, labels in predictions), target)


def read(target: Path, layout: Layout, sizes: Mapping[str, tuple[int, int]]) -> dict[str, Labels]:
    """The label map of each image id that the folder holds."""
    return {i: read_mask(target / f"{i}.png").astype(np.uint8) for i in sizes if (target / f"{i}.png").is_file()}


def write_colours(predictions: Iterable[Prediction], target: Path, layout: Layout) -> int:
    """Write RGB pictures to the folder `target`, which is replaced as a whole; the number of images.

    Raises:
        RefusedError: a class has no colour.
    """
    table = _table(layout)
    return write_pngs(((image_id, table[labels]) for image_id, _, labels in predictions), target)


def read_colours(target: Path, layout: Layout, sizes: Mapping[str, tuple[int, int]]) -> dict[str, Labels]:
    """The label map of each image id that the folder holds; a colour that is no class's reads as IGNORE_INDEX."""
    table = _table(layout)
    found: dict[str, Labels] = {}
    for image_id in sizes:
        file = target / f"{image_id}.png"
        if file.is_file():
            picture = read_image(file)
            labels = np.full(picture.shape[:2], IGNORE_INDEX, dtype=np.uint8)
            for label, colour in enumerate(table):
                labels[(picture == colour).all(axis=2)] = label
            found[image_id] = labels
    return found


def _table(layout: Layout) -> NDArray[np.uint8]:
    """(C, 3): the colour of each class."""
    missing = [name for name in layout.classes if name not in layout.colours]
    if missing:
        raise RefusedError(
            f"{missing[0]!r} has no colour, so color-png cannot be written.",
            hint="Colours are those of the masks (`comp init --colors FILE`); --format png writes class indices.",
        )
    return np.array([layout.colours[name] for name in layout.classes], dtype=np.uint8)
