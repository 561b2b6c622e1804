"""Where each class lies in the frame."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from competition.config.settings import IGNORE_INDEX
from competition.data.images import Pixels, resize_labels

Floats = NDArray[np.float64]

GRID = 48
"""Every frame, whatever its shape, becomes this many rows and columns of places."""


def to_grid(labels: Pixels) -> Pixels:
    """A mask (H, W) at the grid's size: each place takes the nearest label."""
    return resize_labels(labels, (GRID, GRID))


def heat_maps(grids: Iterable[Pixels], classes: int) -> Floats:
    """How often each place is of each class: float64 (C, GRID, GRID), 0..1, over the masks that have it not void.

    NaN where every mask has void.
    """
    hits = np.zeros((classes, GRID, GRID))
    seen = np.zeros((GRID, GRID))
    for grid in grids:
        seen += grid != IGNORE_INDEX
        for label in np.unique(grid[grid != IGNORE_INDEX]):
            hits[label] += grid == label
    return np.divide(hits, seen, out=np.full_like(hits, np.nan), where=seen > 0)


def likeness(maps: Floats, *, flipped: Floats) -> float:
    """How alike the maps and the same maps flipped are: the smaller of each value and its flip, summed, 0..1.

    1 where flipping changes nothing, 0 where no class ever lies where its flip lies.
    """
    first, second = np.nan_to_num(maps), np.nan_to_num(flipped)
    larger = np.maximum(first, second).sum()
    return float(np.minimum(first, second).sum() / larger) if larger else 1.0
