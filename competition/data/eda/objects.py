"""Objects, that is connected regions of one class: their number and their sizes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.config.settings import IGNORE_INDEX
from competition.data.images import Pixels, resize_labels

Floats = NDArray[np.float64]

LONGEST_SIDE = 1024
"""Larger masks are measured at this size (pixels): objects lost by that are too small to be learnt anyway."""

SPECK = 3
"""Regions with a longer side below this (pixels) are specks, as masks often have at their edges, and not objects."""

_EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=np.uint8)


@dataclass(frozen=True)
class Objects:
    """The objects and specks of one mask, in no particular order.

    Args:
        labels: (P,) the class of each object.
        shares: (P,) its area as a share of the image, 0..1.
        sides: (P,) the longer side of its bounding box, in pixels of the original mask.
    """

    labels: NDArray[np.intp]
    shares: Floats
    sides: Floats


@dataclass(frozen=True)
class ObjectFacts:
    """The objects of one class in the sample.

    Args:
        objects: their number, without specks.
        specks: the number of specks.
        per_image: their average number in an image with at least one.
        shares: (P,) the area of each as a share of its image, 0..1.
        sides: (P,) the longer side of each bounding box, pixels.
    """

    objects: int
    specks: int
    per_image: float
    shares: Floats
    sides: Floats

    @property
    def median_share(self) -> float | None:
        """The median of the shares; None without objects."""
        return float(np.median(self.shares)) if self.objects else None

    @property
    def median_side(self) -> float | None:
        """The median of the sides, pixels; None without objects."""
        return float(np.median(self.sides)) if self.objects else None


def find_objects(labels: Pixels) -> Objects:
    """The objects of a mask, uint8 (H, W): regions of one class that touch, also at corners; void is no object."""
    from scipy import ndimage

    scale = max(labels.shape) / LONGEST_SIDE
    if scale > 1:
        height, width = (max(1, round(side / scale)) for side in labels.shape)
        labels = resize_labels(labels, (height, width))
    # One bounding box per class first: then only that part of the mask is searched for its objects.
    boxes = ndimage.find_objects(np.where(labels == IGNORE_INDEX, 0, labels.astype(np.int32) + 1))
    classes: list[int] = []
    areas: list[Floats] = []
    sides: list[float] = []
    for label, box in enumerate(boxes):
        if box is None:
            continue
        regions, number = ndimage.label(labels[box] == label, structure=_EIGHT_NEIGHBOURS)
        classes += [label] * number
        areas.append(np.bincount(regions.ravel(), minlength=number + 1)[1:].astype(np.float64))
        sides += [float(max(y.stop - y.start, x.stop - x.start)) for y, x in ndimage.find_objects(regions)]
    shares = np.concatenate(areas) / labels.size if areas else np.empty(0)
    return Objects(np.array(classes, dtype=np.intp), shares, np.array(sides) * max(scale, 1.0))


def object_facts(masks: Sequence[Objects], classes: int) -> tuple[ObjectFacts, ...]:
    """The objects of all masks, by class."""
    return tuple(_facts_of(label, masks) for label in range(classes))


def _facts_of(label: int, masks: Sequence[Objects]) -> ObjectFacts:
    of_class = [objects.labels == label for objects in masks]
    kept = [chosen & (objects.sides >= SPECK) for objects, chosen in zip(masks, of_class, strict=True)]
    number = sum(int(chosen.sum()) for chosen in kept)
    images = sum(bool(chosen.any()) for chosen in kept)
    return ObjectFacts(
        objects=number,
        specks=sum(int(chosen.sum()) for chosen in of_class) - number,
        per_image=number / images if images else 0.0,
        shares=np.concatenate([np.empty(0), *(o.shares[chosen] for o, chosen in zip(masks, kept, strict=True))]),
        sides=np.concatenate([np.empty(0), *(o.sides[chosen] for o, chosen in zip(masks, kept, strict=True))]),
    )
