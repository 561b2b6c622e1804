"""The appearance of an image: eight numbers that people have words for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.data.images import Pixels

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Feature:
    """One number about an image, and the words for an image with a low or a high value."""

    name: str
    low: str
    high: str


FEATURES = (
    Feature("brightness", "dark", "bright"),
    Feature("contrast", "flat", "contrasty"),
    Feature("saturation", "grey", "colourful"),
    Feature("red - green", "greenish", "reddish"),
    Feature("blue - yellow", "yellowish", "bluish"),
    Feature("sharpness", "smooth", "detailed"),
    Feature("dark share", "few shadows", "deep shadows"),
    Feature("bright share", "few highlights", "large highlights"),
)
"""The features that `measure` returns, in its order."""

NAMES = tuple(feature.name for feature in FEATURES)

SHARES = frozenset(NAMES[-2:])
"""The features that are fractions, 0..1."""

_LUMA = (np.float32(0.299), np.float32(0.587), np.float32(0.114))
"""The weights of red, green and blue in grey, ITU-R BT.601; float32, so that the arrays stay float32."""
_DARK, _BRIGHT = 32, 224


def measure(image: Pixels) -> Floats:
    """The features of an image, uint8 (H, W, 3), as float64 (F,).

    Brightness (mean) and contrast (standard deviation) of the grey value, saturation (largest minus smallest channel),
    the two colour balances and sharpness (mean step between neighbouring pixels) are on the scale 0..255; the shares
    of nearly black and nearly white pixels are fractions.
    """
    red, green, blue = (np.ascontiguousarray(image[..., channel]) for channel in range(3))
    grey = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
    saturation = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    steps = [np.abs(np.diff(grey, axis=axis)) for axis in (0, 1)]
    return np.array(
        [
            grey.mean(),
            grey.std(),
            saturation.mean(),
            red.mean() - green.mean(),
            blue.mean() - (red.mean() + green.mean()) / 2,
            np.mean([step.mean() if step.size else 0.0 for step in steps]),
            (grey < _DARK).mean(),
            (grey >= _BRIGHT).mean(),
        ],
        dtype=np.float64,
    )
