"""How often each class occurs: exact numbers from the manifest, without opening a mask."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.data.manifest import Manifest

Floats = NDArray[np.float64]

LARGEST_WEIGHT = 10.0
"""Without a limit, a class of a few pixels would outweigh all others."""


@dataclass(frozen=True)
class ClassFacts:
    """The facts about one class.

    Args:
        share: its part of all pixels that are not void, 0..1.
        images: the number of labelled images that show it.
        share_where_present: its part of the pixels that are not void in those images, 0..1; 0 if it never occurs.
    """

    name: str
    pixels: int
    share: float
    images: int
    share_where_present: float


def class_facts(manifest: Manifest, names: Sequence[str]) -> tuple[ClassFacts, ...]:
    """The facts about each class, from all labelled images."""
    pixels = _pixels(manifest, len(names))
    sizes = pixels.sum(axis=1)
    total = max(int(sizes.sum()), 1)
    facts = []
    for index, name in enumerate(names):
        present = pixels[:, index] > 0
        count = int(pixels[:, index].sum())
        share_where_present = count / int(sizes[present].sum()) if present.any() else 0.0
        facts.append(ClassFacts(name, count, count / total, int(present.sum()), share_where_present))
    return tuple(facts)


def median_frequency(facts: Sequence[ClassFacts]) -> Floats:
    """A weight for the loss of each class, float64 (C,): median-frequency balancing (Eigen and Fergus, ICCV 2015).

    The weight is the median of `share_where_present` over the classes, divided by the class's own; between 0.1 and 10,
    and 1 for a class that never occurs.
    """
    share = np.array([f.share_where_present for f in facts])
    present = share > 0
    return _weights(share, float(np.median(share[present])) if present.any() else 1.0)


def inverse_frequency(facts: Sequence[ClassFacts]) -> Floats:
    """A weight for the loss of each class, float64 (C,), in inverse proportion to its share of all pixels.

    A class with an equal share (1 / number of classes that occur) has the weight 1; the limits are those of
    `median_frequency`.
    """
    share = np.array([f.share for f in facts])
    return _weights(share, 1 / max(int((share > 0).sum()), 1))


def co_occurrence(manifest: Manifest, classes: int) -> Floats:
    """How often classes occur in the same image, float64 (C, C), 0..1.

    Of the images that show the class of the row, the share that also shows the class of the column. A row is NaN if its
    class never occurs.
    """
    present = (_pixels(manifest, classes) > 0).astype(np.float64)
    together = present.T @ present
    images = together.diagonal()[:, None]
    return np.divide(together, images, out=np.full_like(together, np.nan), where=images > 0)


def _weights(share: Floats, usual: float) -> Floats:
    weights = np.ones(len(share))
    present = share > 0
    weights[present] = np.clip(usual / share[present], 1 / LARGEST_WEIGHT, LARGEST_WEIGHT)
    return weights


def _pixels(manifest: Manifest, classes: int) -> NDArray[np.int64]:
    """The number of pixels of each class in each labelled image, int64 (N, C)."""
    return np.array([item.pixels for item in manifest.items], dtype=np.int64).reshape(-1, classes)
