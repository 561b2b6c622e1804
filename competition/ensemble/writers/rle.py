"""Run-length encoding as Kaggle has it: `start length start length …`, pixels counted from 1, column after column."""

import numpy as np
from numpy.typing import NDArray

from competition.errors import DataError

Mask = NDArray[np.bool_]


def encode(mask: Mask) -> str:
    """The runs of True in a bool mask (H, W); an empty string where there are none."""
    edges = np.flatnonzero(np.diff(mask.ravel(order="F"), prepend=False, append=False))
    runs = edges.reshape(-1, 2)
    return " ".join(map(str, np.column_stack([runs[:, 0] + 1, runs[:, 1] - runs[:, 0]]).ravel().tolist()))


def decode(text: str, shape: tuple[int, int]) -> Mask:
    """The bool mask (H, W) that `encode` turned into `text`.

    Raises:
        DataError: the text is no run-length encoding of a mask of this shape.
    """
    words = text.split()
    if not all(word.isascii() and word.isdigit() and len(word) < 18 for word in words):
        raise DataError(f"Run lengths are whole numbers, not {_short(text)}.")
    if len(words) % 2:
        raise DataError(f"Run lengths come in pairs of start and length; there are {len(words)} numbers.")
    starts, lengths = np.array([int(word) for word in words], dtype=np.int64).reshape(-1, 2).T
    pixels = shape[0] * shape[1]
    ends = starts - 1 + lengths
    if (starts < 1).any() or (lengths < 1).any() or (ends > pixels).any():
        raise DataError(f"A run leaves the {shape[0]}x{shape[1]} mask, whose pixels count from 1 to {pixels}.")
    if (starts[1:] <= ends[:-1]).any():
        raise DataError("Runs overlap, or are not in order.")
    edges = np.zeros(pixels + 1, dtype=np.int8)
    edges[starts - 1] += 1
    edges[ends] -= 1
    return np.cumsum(edges[:-1], dtype=np.int8).astype(bool).reshape(shape, order="F")


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
