"""Calibration: are the pixels that a model is 80 % sure of right 80 times in a hundred?

Guo et al. 2017, On Calibration of Modern Neural Networks (ICML), whose bins these are: fifteen of equal width, each
with its upper edge. The expected calibration error is that of Naeini et al. 2015, Obtaining Well Calibrated
Probabilities Using Bayesian Binning (AAAI).
"""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVELS = 255
"""A stored probability p is the byte round(255 p)."""
BINS = 15
_WIDTH = LEVELS // BINS
"""Levels in a bin: 255 is 15 times 17, so no bin cuts through a byte."""


@dataclass(frozen=True)
class Calibration:
    """Pixels by how sure the model was of the class it named.

    Args:
        pixels: int64 (256,), by the byte of the named class's probability: how many pixels, void left out.
        right: int64 (256,), how many of them were named rightly.
    """

    pixels: NDArray[np.int64]
    right: NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        """The share of the pixels that was named rightly; NaN where there are none."""
        return _ratio(int(self.right.sum()), int(self.pixels.sum()))

    @property
    def confidence(self) -> float:
        """The mean probability of the class named; NaN where there are no pixels."""
        return _ratio(float(self.pixels @ _PROBABILITIES), int(self.pixels.sum()))

    @property
    def error(self) -> float:
        """The expected calibration error, 0 to 1: over the bins, |accuracy - confidence| weighted by pixels."""
        gaps = [abs(b.accuracy - b.confidence) * b.pixels for b in self.bins]
        return _ratio(sum(gaps), int(self.pixels.sum()))

    def to_json(self) -> dict[str, Any]:
        """Plain values; None where there are no pixels."""
        numbers = {"error": self.error, "confidence": self.confidence, "accuracy": self.accuracy}
        plain = {name: None if math.isnan(value) else value for name, value in numbers.items()}
        return {**plain, "bins": [asdict(found) for found in self.bins]}

    @property
    def bins(self) -> "tuple[Bin, ...]":
        """The bins that hold pixels, the least sure first."""
        number = np.maximum(np.arange(LEVELS + 1) - 1, 0) // _WIDTH
        pixels, right, sure = (
            np.bincount(number, weights=values, minlength=BINS)
            for values in (self.pixels, self.right, self.pixels * _PROBABILITIES)
        )
        return tuple(
            Bin(at, int(n), float(s / n), float(r / n))
            for at, (n, r, s) in enumerate(zip(pixels, right, sure, strict=True))
            if n
        )


@dataclass(frozen=True)
class Bin:
    """Pixels of about one confidence: bin `number` of 0 to 14; `confidence` and `accuracy` are their means, 0 to 1."""

    number: int
    pixels: int
    confidence: float
    accuracy: float


_PROBABILITIES = np.arange(LEVELS + 1) / LEVELS


def count(probabilities: NDArray[np.uint8], truth: NDArray[np.uint8]) -> Calibration:
    """The calibration of one image.

    Args:
        probabilities: uint8 (C, H, W), round(255 p); where two classes are as likely, the first one is named.
        truth: uint8 (H, W); pixels with a value of C or more are void and left out.
    """
    named = probabilities.argmax(axis=0)
    level = np.take_along_axis(probabilities, named[None], axis=0)[0]
    counted = truth < len(probabilities)
    pixels, right = (
        np.bincount(level[chosen], minlength=LEVELS + 1) for chosen in (counted, counted & (named == truth))
    )
    return Calibration(pixels, right)


def total(images: Iterable[Calibration]) -> Calibration:
    """The calibration over all pixels of the images."""
    pixels, right = np.zeros((2, LEVELS + 1), dtype=np.int64)
    for image in images:
        pixels += image.pixels
        right += image.right
    return Calibration(pixels, right)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
