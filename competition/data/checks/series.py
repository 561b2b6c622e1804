"""Series of numbered images that look like the frames of a video."""

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.data.checks.image_hashes import HashArray, ImageHashes, distances
from competition.data.manifest import Item, Manifest

_FURTHER = 8
_LEAST_ORDER = 0.65
_DEVIATIONS = 4
_NUMBERED = re.compile(r"(.*?)([0-9]+)")


@dataclass(frozen=True)
class Series:
    """Labelled images `name<number>` that look like the frames of one video, in the order of their numbers."""

    name: str
    items: tuple[Item, ...]


def find_series(manifest: Manifest, hashes: ImageHashes) -> tuple[Series, ...]:
    """The series of labelled images whose neighbours in number look alike.

    Images with one name and different numbers look like a video if an image differs less from the next than from
    the eighth after it, in at least 65 % of the comparisons, and by four standard deviations more often than chance.
    (Numbers without meaning would give 50 %; images that are only sorted by kind stay near that as well.)
    """
    numbered: dict[str, list[tuple[int, Item]]] = {}
    for position in hashes.comparable(manifest.items):
        item = manifest.items[position]
        match = _NUMBERED.fullmatch(item.id)
        if match:
            numbered.setdefault(match.group(1), []).append((int(match.group(2)), item))
    series = []
    for name, members in numbered.items():
        items = tuple(item for _, item in sorted(members, key=lambda pair: (pair[0], pair[1].id)))
        if len(items) > _FURTHER and frame_order(hashes.stack(items)) >= _least_order(len(items)):
            series.append(Series(name, items))
    return tuple(series)


def frame_order(hashes: HashArray) -> float:
    """How often an image differs less from the next than from the eighth after it, over all such pairs, 0..1.

    Args:
        hashes: uint8 (N, 32) in the order of the numbers, N > 8.
    """
    near = distances(hashes[1:], hashes[:-1])
    far: NDArray[np.int64] = np.sort(distances(hashes[_FURTHER:], hashes[:-_FURTHER]))
    # Each near distance against all far ones in N log N steps; a tie counts half (Mann and Whitney's U).
    below = np.searchsorted(far, near, side="left")
    below_or_equal = np.searchsorted(far, near, side="right")
    return float(1 - (below + below_or_equal).mean() / (2 * len(far)))


def _least_order(images: int) -> float:
    """The value of frame_order that chance will not reach; its deviation is that of Mann and Whitney's U."""
    near, far = images - 1, images - _FURTHER
    deviation = math.sqrt((near + far + 1) / (12 * near * far))
    return max(_LEAST_ORDER, 0.5 + _DEVIATIONS * deviation)
