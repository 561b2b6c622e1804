"""Films in disguise: pictures whose numbers follow each other and who look like their neighbours."""

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.data.checks.hashes import Hashes, distances
from competition.data.checks.looks import Looks
from competition.data.manifest import Item, Manifest

_FURTHER = 8
_LEAST_LIKENESS = 0.65
_DEVIATIONS = 4
_NUMBERED = re.compile(r"(.*?)([0-9]+)")


@dataclass(frozen=True)
class Series:
    """Pictures that seem to be frames of one film, in the order of their numbers; `name` is what they share."""

    name: str
    items: tuple[Item, ...]


def find_series(manifest: Manifest, looks: Looks) -> tuple[Series, ...]:
    """The labelled pictures that are numbered through and resemble their neighbours.

    Pictures `name<number>` make a film when one and the next differ less than one and the eighth after it, in at
    least 65 % of the comparisons, and by four standard deviations more often than chance would have it. (It would be
    50 % if the numbers meant nothing; pictures that are only sorted by kind stay near that as well.)
    """
    numbered: dict[str, list[tuple[int, Item]]] = {}
    for place in looks.telling(manifest.items):
        item = manifest.items[place]
        match = _NUMBERED.fullmatch(item.id)
        if match:
            numbered.setdefault(match.group(1), []).append((int(match.group(2)), item))
    found = []
    for name, members in numbered.items():
        items = tuple(item for _, item in sorted(members, key=lambda pair: (pair[0], pair[1].id)))
        if len(items) > _FURTHER and film_likeness(looks.hashes(items)) >= _least_likeness(len(items)):
            found.append(Series(name, items))
    return tuple(found)


def film_likeness(hashes: Hashes) -> float:
    """How often one picture and the next differ less than one and the eighth after it, over all such pairs, 0..1.

    Args:
        hashes: (N, 32) in the order of the numbers, N > 8.
    """
    near = distances(hashes[1:], hashes[:-1])
    far: NDArray[np.int64] = np.sort(distances(hashes[_FURTHER:], hashes[:-_FURTHER]))
    below = np.searchsorted(far, near, side="left")
    below_or_equal = np.searchsorted(far, near, side="right")
    return float(1 - (below + below_or_equal).mean() / (2 * len(far)))


def _least_likeness(pictures: int) -> float:
    """What chance will not reach: the deviation is that of Mann and Whitney's statistic."""
    near, far = pictures - 1, pictures - _FURTHER
    deviation = math.sqrt((near + far + 1) / (12 * near * far))
    return max(_LEAST_LIKENESS, 0.5 + _DEVIATIONS * deviation)
