"""Heat maps: how often each place of the image shows each class."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from competition.config.settings import IGNORE_INDEX
from competition.data.images import Pixels, resize_labels

Floats = NDArray[np.float64]

GRID = 48
"""Every image, whatever its shape, is divided into this many rows and columns of places."""


def to_grid(labels: Pixels) -> Pixels:
    """A mask, uint8 (H, W), at GRID x GRID: each place takes the nearest label."""
    return resize_labels(labels, (GRID, GRID))


def heat_maps(grids: Iterable[Pixels], classes: int) -> Floats:
    """The share of masks that show each class at each place, float64 (C, GRID, GRID), 0..1.

    Masks with void at a place do not count there; NaN where all masks have void.

    Args:
        grids: masks as `to_grid` returns them.
        classes: the number of classes.
    """
    shown = np.zeros((classes, GRID, GRID))
    counted = np.zeros((GRID, GRID))
    for grid in grids:
        counted += grid != IGNORE_INDEX
        for label in np.unique(grid[grid != IGNORE_INDEX]):
            shown[label] += grid == label
    return np.divide(shown, counted, out=np.full_like(shown, np.nan), where=counted > 0)


def similarity(maps: Floats, *, flipped: Floats) -> float:
    """The similarity of heat maps (C, GRID, GRID) and the same maps flipped, 0..1.

    The sum of the smaller of the two values at each place, divided by the sum of the larger: 1 if the flip changes
    nothing, 0 if no class is ever where the flip puts it.
    """
    first, second = np.nan_to_num(maps), np.nan_to_num(flipped)
    larger = np.maximum(first, second).sum()
    return float(np.minimum(first, second).sum() / larger) if larger else 1.0
