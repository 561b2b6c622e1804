"""Objects: connected pieces of one class, how many there are and how large."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.config.settings import IGNORE_INDEX
from competition.data.images import Pixels, resize_labels

Floats = NDArray[np.float64]

LONGEST_SIDE = 1024
"""Larger masks are measured at this size (pixels): pieces that are lost by it are too small to be learnt anyway."""

SPECK = 3
"""Pieces whose longer side is shorter than this (pixels) are specks: crumbs at the edges of masks, no objects."""

_EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=np.uint8)


@dataclass(frozen=True)
class Objects:
    """The objects and specks of one mask, in no particular order.

    Args:
        labels: (P,) the class of each.
        shares: (P,) its area as a share of the image, 0..1.
        sides: (P,) the longer side of its bounding box in pixels of the original mask.
    """

    labels: NDArray[np.intp]
    shares: Floats
    sides: Floats


@dataclass(frozen=True)
class ObjectFacts:
    """The objects of one class in the images that were looked at.

    Args:
        objects: how many in all, specks left out.
        specks: how many specks.
        per_image: how many on average in an image that holds any.
        shares: (P,) area of each as a share of its image.
        sides: (P,) longer side of each bounding box, pixels.
    """

    objects: int
    specks: int
    per_image: float
    shares: Floats
    sides: Floats

    @property
    def median_share(self) -> float | None:
        """The middle object's share of its image."""
        return float(np.median(self.shares)) if self.objects else None

    @property
    def median_side(self) -> float | None:
        """The middle object's longer side, pixels."""
        return float(np.median(self.sides)) if self.objects else None


def find_objects(labels: Pixels) -> Objects:
    """The objects of a mask, uint8 (H, W): pixels of one class that touch, also at corners. Void belongs to none."""
    from scipy import ndimage

    scale = max(labels.shape) / LONGEST_SIDE
    if scale > 1:
        height, width = (max(1, round(side / scale)) for side in labels.shape)
        labels = resize_labels(labels, (height, width))
    regions = ndimage.find_objects(np.where(labels == IGNORE_INDEX, 0, labels.astype(np.int32) + 1))
    found_labels: list[int] = []
    areas: list[Floats] = []
    sides: list[float] = []
    for label, region in enumerate(regions):
        if region is None:
            continue
        pieces, number = ndimage.label(labels[region] == label, structure=_EIGHT_NEIGHBOURS)
        found_labels += [label] * number
        areas.append(np.bincount(pieces.ravel(), minlength=number + 1)[1:].astype(np.float64))
        sides += [float(max(y.stop - y.start, x.stop - x.start)) for y, x in ndimage.find_objects(pieces)]
    shares = np.concatenate(areas) / labels.size if areas else np.empty(0)
    return Objects(np.array(found_labels, dtype=np.intp), shares, np.array(sides) * max(scale, 1.0))


def object_facts(found: Sequence[Objects], classes: int) -> tuple[ObjectFacts, ...]:
    """The objects of several masks, gathered by class."""
    return tuple(_facts_of(label, found) for label in range(classes))


def _facts_of(label: int, found: Sequence[Objects]) -> ObjectFacts:
    mine = [objects.labels == label for objects in found]
    whole = [chosen & (objects.sides >= SPECK) for objects, chosen in zip(found, mine, strict=True)]
    number = sum(int(chosen.sum()) for chosen in whole)
    holding = sum(bool(chosen.any()) for chosen in whole)
    return ObjectFacts(
        objects=number,
        specks=sum(int(chosen.sum()) for chosen in mine) - number,
        per_image=number / holding if holding else 0.0,
        shares=np.concatenate([np.empty(0), *(o.shares[chosen] for o, chosen in zip(found, whole, strict=True))]),
        sides=np.concatenate([np.empty(0), *(o.sides[chosen] for o, chosen in zip(found, whole, strict=True))]),
    )
