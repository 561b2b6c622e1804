"""The classes that training images hold little of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from competition.data.manifest import Item
from competition.errors import UnknownNameError

FAR_BELOW = 0.25
"""A class is rare below this part of its even share of the pixels (1 / number of classes)."""


@dataclass(frozen=True)
class Rare:
    """Rare classes, by index, and the ids of the images that hold one, in the order of the images."""

    classes: tuple[int, ...] = ()
    images: tuple[str, ...] = ()


NONE = Rare()
"""No class is rare."""


def find_rare(items: Sequence[Item], names: Sequence[str], chosen: Sequence[str]) -> Rare:
    """The classes called `chosen`; without any, those far below their even share, at least the rarest that occurs.

    Raises:
        UnknownNameError: there is no such class.
    """
    pixels = np.array([item.pixels for item in items], dtype=np.int64).reshape(-1, len(names))
    classes = class_indices(chosen, names) or _far_below(pixels.sum(axis=0))
    holders = np.flatnonzero(pixels[:, list(classes)].any(axis=1))
    return Rare(classes, tuple(items[place].id for place in holders.tolist()))


def class_indices(chosen: Sequence[str], names: Sequence[str]) -> tuple[int, ...]:
    """The indices of the classes called `chosen`, without repetitions.

    Raises:
        UnknownNameError: there is no such class.
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
