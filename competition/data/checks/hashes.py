"""Perceptual hashes: pictures that look alike have hashes that differ in few bits, whatever their bytes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from competition.data.images import Pixels

BITS = 256
NEAR = 40
"""Two pictures are near-duplicates when at most this many of their 256 bits differ.

Measured on street scenes and on microscopy: resizing to half, JPEG at quality 60, gamma 0.8, 20 % more light, noise of
standard deviation 5 and a border cut by 1 % move at most 40 bits; no two pictures of different scenes came nearer than
90 (docs/explanation/splits.md has the table).
"""

_SIDE = 64
_FREQUENCIES = 16
_LEAST_RANGE = 4
_ROWS = 256

Hashes = NDArray[np.uint8]
"""(N, 32): a hash a row, 8 bits a byte."""


@dataclass(frozen=True)
class Look:
    """What a picture looks like.

    Args:
        hash: 32 bytes.
        constant: every pixel has the same colour.
        flat: so little is to be seen that the hash says nothing.
    """

    hash: bytes
    constant: bool
    flat: bool


def look_at(image: Pixels) -> Look:
    """The look of an image (H, W, 3).

    The hash is that of Zauner (2010), larger: which of the 16x16 lowest frequencies of the grey picture at 64x64 are
    above their median. Whole numbers all the way, so that every machine finds the same bits.
    """
    grey = Image.fromarray(image).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    small = np.asarray(grey, dtype=np.int64)
    waves = _waves()
    spectrum = (waves @ small @ waves.T).ravel()
    spectrum[0] = 0  # the mean brightness is no part of the look
    bits = spectrum > np.sort(spectrum)[BITS // 2]
    return Look(
        hash=np.packbits(bits).tobytes(),
        constant=bool((image == image[0, 0]).all()),
        flat=bool(small.max() - small.min() < _LEAST_RANGE),
    )


def distances(first: Hashes, second: Hashes) -> NDArray[np.int64]:
    """In how many bits each pair of rows differs: (N,) for two arrays (N, 32)."""
    differing: NDArray[np.int64] = np.bitwise_count(first ^ second).sum(axis=-1, dtype=np.int64)
    return differing


def near_pairs(hashes: Hashes, *, within: int = NEAR) -> NDArray[np.int64]:
    """(P, 2): the pairs of rows i < j that differ in at most `within` bits, in order.

    Every pair is compared: 10,000 pictures take about a second a core.
    """
    words = np.ascontiguousarray(hashes).view(np.uint64).T.copy()
    found = [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, len(hashes), _ROWS):
        block, others = words[:, start : start + _ROWS, None], words[:, None, start:]
        apart = np.zeros((block.shape[1], others.shape[2]), dtype=np.uint16)
        for left, right in zip(block, others, strict=True):
            apart += np.bitwise_count(left ^ right)
        rows, columns = (apart <= within).nonzero()
        later = columns > rows
        found.append(start + np.stack([rows[later], columns[later]], axis=1).astype(np.int64))
    return np.concatenate(found)


def _waves() -> NDArray[np.int64]:
    """(16, 64): the lowest rows of the discrete cosine transform, times 2**12."""
    frequency = np.arange(_FREQUENCIES)[:, None]
    place = np.arange(_SIDE)[None, :]
    waves: NDArray[np.int64] = np.rint(4096 * np.cos(np.pi * frequency * (2 * place + 1) / 128)).astype(np.int64)
    return waves
