"""Rare classes, and the images that show one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from competition.data.manifest import Item
from competition.errors import UnknownNameError

FAR_BELOW = 0.25
"""A class is rare if it has less than this part of an equal share of the pixels (1 / number of classes)."""


@dataclass(frozen=True)
class RareClasses:
    """The indices of rare classes, and the ids of the images that show one, in the order of the images."""

    classes: tuple[int, ...] = ()
    images: tuple[str, ...] = ()


NO_RARE_CLASSES = RareClasses()


def find_rare_classes(items: Sequence[Item], names: Sequence[str], chosen: Sequence[str]) -> RareClasses:
    """The classes named in `chosen`; if that is empty, those far below an equal share, or at least the rarest one.

    Raises:
        UnknownNameError: a name is not a class.
    """
    pixels = np.array([item.pixels for item in items], dtype=np.int64).reshape(-1, len(names))
    classes = class_indices(chosen, names) or _far_below(pixels.sum(axis=0))
    showing = np.flatnonzero(pixels[:, list(classes)].any(axis=1))
    return RareClasses(classes, tuple(items[position].id for position in showing.tolist()))


def class_indices(chosen: Sequence[str], names: Sequence[str]) -> tuple[int, ...]:
    """The indices of the classes named in `chosen`, sorted, each once.

    Raises:
        UnknownNameError: a name is not a class.
    """
    for name in chosen:
        if name not in names:
            raise UnknownNameError.among("class", name, names)
    return tuple(sorted({names.index(name) for name in chosen}))


def _far_below(totals: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[int, ...]:
    occurring = [c for c in range(len(totals)) if totals[c]]
    limit = FAR_BELOW * totals.sum() / len(totals)
    rare = [c for c in occurring if totals[c] < limit] or (occurring and [min(occurring, key=lambda c: totals[c])])
    return tuple(rare)
