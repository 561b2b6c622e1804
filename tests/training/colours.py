"""Images whose colours are their labels, and whether they still are."""

import numpy as np
from numpy.typing import NDArray

from competition.config.settings import IGNORE_INDEX

Pixels = NDArray[np.uint8]

PALETTE = np.array(
    [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255), (0, 255, 255), (255, 255, 255)], np.uint8
)
"""Black is left for what comes in from outside."""
_LABEL_OF_BITS = np.array([-1, 0, 1, 3, 2, 4, 5, 6])
_NEAR, _BLACK = 40, 20
"""How far a channel may be off. A pixel so near a colour is made of it for the most part, so that it is the nearest;
black needs the tighter bound, as complementary colours add up to a dark grey."""


def coloured(size: tuple[int, int] = (48, 64), *, seed: int = 0, block: int = 8) -> tuple[Pixels, Pixels]:
    """An image (H, W, 3) of square blocks, and its labels (H, W)."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(PALETTE), (size[0] // block, size[1] // block))
    mask = np.kron(labels, np.ones((block, block), np.int64)).astype(np.uint8)
    return PALETTE[mask], mask


def seen(image: Pixels) -> NDArray[np.int64]:
    """What each pixel shows (H, W): a label, IGNORE_INDEX for black, -1 where colours have mixed."""
    high, low = image >= 255 - _NEAR, image <= _NEAR
    bits = high.astype(np.int64) @ np.array([1, 2, 4])
    shown = np.where((high | low).all(axis=2), _LABEL_OF_BITS[bits], -1)
    return np.where((image <= _BLACK).all(axis=2), IGNORE_INDEX, np.where(bits == 0, -1, shown))


def disagreeing(image: Pixels, mask: Pixels) -> int:
    """How many pixels show one label and are called another; black must be void, and void may hide anything."""
    shown = seen(image)
    return int(((shown >= 0) & (shown != mask) & (mask != IGNORE_INDEX)).sum())


def inside(image: Pixels, mask: Pixels) -> tuple[Pixels, Pixels]:
    """Void where a pixel or a neighbour has no clear colour: several transforms round to the nearest pixel each."""
    shown = np.pad(seen(image), 1, mode="edge")
    height, width = mask.shape
    alike = np.ones(mask.shape, dtype=bool)
    for dy in range(3):
        for dx in range(3):
            alike &= shown[dy : dy + height, dx : dx + width] == shown[1:-1, 1:-1]
    return image, np.where(alike & (shown[1:-1, 1:-1] >= 0), mask, IGNORE_INDEX).astype(np.uint8)
