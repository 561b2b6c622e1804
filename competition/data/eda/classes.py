"""How often each class occurs, from the manifest alone: exact, without opening a mask."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.data.manifest import Manifest

Floats = NDArray[np.float64]

LARGEST_WEIGHT = 10.0
"""A class of a few pixels would otherwise drown all others."""


@dataclass(frozen=True)
class ClassFacts:
    """One class.

    Args:
        share: of all pixels that are not void.
        images: how many labelled images hold it.
        share_where_present: of the pixels that are not void, in those images; 0 for a class that never occurs.
    """

    name: str
    pixels: int
    share: float
    images: int
    share_where_present: float


def class_facts(manifest: Manifest, names: Sequence[str]) -> tuple[ClassFacts, ...]:
    """What the labelled images hold of each class."""
    pixels = _pixels(manifest, len(names))
    sizes = pixels.sum(axis=1)
    total = max(int(sizes.sum()), 1)
    facts = []
    for index, name in enumerate(names):
        there = pixels[:, index] > 0
        count = int(pixels[:, index].sum())
        where = count / int(sizes[there].sum()) if there.any() else 0.0
        facts.append(ClassFacts(name, count, count / total, int(there.sum()), where))
    return tuple(facts)


def median_frequency(facts: Sequence[ClassFacts]) -> Floats:
    """A weight for each class's loss, float64 (C,): median-frequency balancing (Eigen and Fergus, ICCV 2015).

    The median over classes of the share that a class has where it occurs, divided by the class's own; at most 10, at
    least a tenth, and 1 for a class that never occurs.
    """
    share = np.array([f.share_where_present for f in facts])
    present = share > 0
    return _balanced(share, float(np.median(share[present])) if present.any() else 1.0)


def inverse_frequency(facts: Sequence[ClassFacts]) -> Floats:
    """A weight for each class's loss, float64 (C,), in inverse proportion to its share of all pixels.

    A class with an equal share (1 / the number of classes that occur) weighs 1; the bounds are those of
    `median_frequency`.
    """
    share = np.array([f.share for f in facts])
    return _balanced(share, 1 / max(int((share > 0).sum()), 1))


def co_occurrence(manifest: Manifest, classes: int) -> Floats:
    """How often classes share an image: float64 (C, C), of the images with the row's class, those with the column's.

    A row is NaN where its class never occurs.
    """
    there = (_pixels(manifest, classes) > 0).astype(np.float64)
    together = there.T @ there
    alone = together.diagonal()[:, None]
    return np.divide(together, alone, out=np.full_like(together, np.nan), where=alone > 0)


def _balanced(share: Floats, usual: float) -> Floats:
    weights = np.ones(len(share))
    present = share > 0
    weights[present] = np.clip(usual / share[present], 1 / LARGEST_WEIGHT, LARGEST_WEIGHT)
    return weights


def _pixels(manifest: Manifest, classes: int) -> NDArray[np.int64]:
    """Pixels of each class in each labelled image, int64 (N, C)."""
    return np.array([item.pixels for item in manifest.items], dtype=np.int64).reshape(-1, classes)
