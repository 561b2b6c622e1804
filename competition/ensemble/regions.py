"""Connected regions of a label map: pixels of one class that touch, also at corners."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from competition.scoring.confusion import Labels

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Regions:
    """The K regions of one label map, in the order of their first pixels, or those of several.

    Args:
        label: uint8 (K,), its class.
        size: int64 (K,), its pixels.
        is_largest: bool (K,), whether no region of its class is larger; the first where several are as large.
        around: uint8 (K,), the class that most of its neighbours have, the lowest where several are as many; its own
            class where it has none.
        is_hole: bool (K,), whether it lies in one class: all its neighbours have it, and no pixel is at the edge.
    """

    label: Labels
    size: Numbers
    is_largest: NDArray[np.bool_]
    around: Labels
    is_hole: NDArray[np.bool_]

    @classmethod
    def joined(cls, parts: Sequence["Regions"]) -> "Regions":
        """Those of several label maps, one after another."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


def find_regions(labels: Labels, classes: int) -> tuple[Numbers, Regions]:
    """The regions of a label map, uint8 (H, W), and the number of each pixel's, int64 (H, W)."""
    number = _numbered(labels)
    size = np.bincount(number.ravel())
    label = np.zeros(len(size), dtype=np.uint8)
    label[number] = labels
    contacts = _contacts(number, labels, len(size), classes)
    lonely = contacts.sum(axis=1) == 0
    at_edge = np.zeros(len(size), dtype=bool)
    for edge in (number[0], number[-1], number[:, 0], number[:, -1]):
        at_edge[edge] = True
    order = np.lexsort((-size, label))  # stable: the first of equals stays first
    is_largest = np.zeros(len(size), dtype=bool)
    is_largest[order[np.diff(label[order], prepend=-1) != 0]] = True
    return number, Regions(
        label=label,
        size=size,
        is_largest=is_largest,
        around=np.where(lonely, label, contacts.argmax(axis=1)).astype(np.uint8),
        is_hole=(np.count_nonzero(contacts, axis=1) == 1) & ~at_edge,
    )


def _numbered(labels: Labels) -> Numbers:
    """The region of each pixel, int64 (H, W): runs of one class in a row, joined where they touch in the next one."""
    starts = np.ones(labels.shape, dtype=bool)
    starts[:, 1:] = labels[:, 1:] != labels[:, :-1]
    run = np.cumsum(starts).reshape(labels.shape) - 1
    above, below = starts[:-1], starts[1:]
    # Two runs that overlap do so first where one of them starts; two that touch at a corner both end or start there.
    straight = (labels[:-1] == labels[1:]) & (above | below)
    both = above[:, 1:] & below[:, 1:]
    falling, rising = both & (labels[:-1, :-1] == labels[1:, 1:]), both & (labels[:-1, 1:] == labels[1:, :-1])
    first = np.concatenate([run[:-1][straight], run[:-1, :-1][falling], run[:-1, 1:][rising]])
    second = np.concatenate([run[1:][straight], run[1:, 1:][falling], run[1:, :-1][rising]])
    root = _joined(int(run[-1, -1]) + 1, first, second)
    numbered: Numbers = np.unique(root, return_inverse=True)[1][run]
    return numbered


def _joined(runs: int, first: Numbers, second: Numbers) -> Numbers:
    """The least run that each run is connected with: every round hooks larger roots to smaller ones, then flattens."""
    root = np.arange(runs)
    while True:
        low, high = np.minimum(root[first], root[second]), np.maximum(root[first], root[second])
        apart = low != high
        if not apart.any():
            return root
        first, second = first[apart], second[apart]
        np.minimum.at(root, high[apart], low[apart])
        while not np.array_equal(flatter := root[root], root):
            root = flatter


def _contacts(number: Numbers, labels: Labels, regions: int, classes: int) -> Numbers:
    """How many sides of its pixels each region shares with pixels of each other class: int64 (K, C)."""
    pairs = []
    for one, other in (
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
        ((slice(1, None),), (slice(None, -1),)),
    ):
        differs = labels[one] != labels[other]
        pairs += [number[one][differs] * classes + labels[other][differs]]
        pairs += [number[other][differs] * classes + labels[one][differs]]
    counted = np.bincount(np.concatenate(pairs), minlength=regions * classes)
    return counted.reshape(regions, classes).astype(np.int64)
