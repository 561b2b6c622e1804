"""What single images score in two experiments."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from competition.scoring.metrics import Scores


@dataclass(frozen=True)
class ImageChange:
    """What one image by itself scores in experiments a and b, as a fraction (the mean over seeds)."""

    id: str
    a: float
    b: float

    @property
    def delta(self) -> float:
        """What it gained."""
        return self.b - self.a


def image_changes(ids: Sequence[str], a: Scores, b: Scores) -> tuple[ImageChange, ...]:
    """Every image that can be scored by itself in both, the largest loss first.

    Args:
        a: float64 (N,), the scores of the N images in experiment a, NaN where an image has none; `b` likewise.
    """
    changes = [
        ImageChange(image_id, float(x), float(y))
        for image_id, x, y in zip(ids, a, b, strict=True)
        if not (math.isnan(x) or math.isnan(y))
    ]
    return tuple(sorted(changes, key=lambda image: image.delta))


def most_changed(images: Sequence[ImageChange], most: int) -> list[ImageChange]:
    """The `most` images that changed most either way, losses first; those that did not change are left out."""
    largest = sorted(images, key=lambda image: -abs(image.delta))[:most]
    return sorted((image for image in largest if image.delta), key=lambda image: image.delta)
