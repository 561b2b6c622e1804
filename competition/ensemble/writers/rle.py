"""Run-length encoding as Kaggle has it: `start length start length …`, pixels counted from 1, column after column."""

import numpy as np
from numpy.typing import NDArray

from competition.errors import DataError

Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64] | NDArray[np.int32]

_MANY = 400
"""From so many numbers on, numpy writes them faster than Python."""
_SPACE, _ZERO = 32, 48


def encode(mask: Mask) -> str:
    """The runs of True in a bool mask (H, W); an empty string where there are none."""
    return _text(runs_of(mask))


def runs_of(mask: Mask) -> Numbers:
    """The runs of True in a bool mask (H, W): start, length, start, length, …; the first pixel is 1.

    The mask is read as it lies in memory, row by row: to turn it first would take longer than all the rest.
    """
    if not mask.size:
        return np.empty(0, dtype=np.int64)
    height, width = mask.shape
    changes = np.empty(mask.shape, dtype=bool)
    np.not_equal(mask[1:], mask[:-1], out=changes[1:])
    np.not_equal(mask[0, 1:], mask[-1, :-1], out=changes[0, 1:])
    changes[0, 0] = mask[0, 0]
    places = np.flatnonzero(changes).astype(np.int32 if mask.size < 2**31 else np.int64)
    rows = places // width
    edges: Numbers = (places - rows * width) * height + rows
    edges.sort()
    if len(edges) % 2:
        edges = np.append(edges, np.array([mask.size], dtype=edges.dtype))
    edges[1::2] -= edges[::2]
    edges[::2] += 1
    return edges


def decode(text: str, shape: tuple[int, int]) -> Mask:
    """The bool mask (H, W) that `encode` turned into `text`.

    Raises:
        DataError: the text is no run-length encoding of a mask of this shape.
    """
    pixels = shape[0] * shape[1]
    starts, lengths = _numbers(text).reshape(-1, 2).T
    ends = starts - 1 + lengths
    if len(starts):
        if starts.min() < 1 or lengths.min() < 1 or ends.max() > pixels:
            raise DataError(f"A run leaves the {shape[0]}x{shape[1]} mask, whose pixels count from 1 to {pixels}.")
        if (starts[1:] <= ends[:-1]).any():
            raise DataError("Runs overlap, or are not in order.")
    # False and True in turn, each repeated: as often as there are pixels since the last run, then the run's length.
    stretches = np.empty(2 * len(starts) + 1, dtype=np.int64)
    stretches[1::2] = lengths
    stretches[0:-1:2] = starts - 1
    stretches[2:-1:2] -= ends[:-1]
    stretches[-1] = pixels - (ends[-1] if len(ends) else 0)
    is_run = np.zeros(len(stretches), dtype=bool)
    is_run[1::2] = True
    return np.repeat(is_run, stretches).reshape(shape, order="F")


def _text(numbers: Numbers) -> str:
    """Whole numbers from 1 up, with spaces between them."""
    if len(numbers) < _MANY:
        return " ".join(map(str, numbers.tolist()))
    digits = len(str(numbers.max()))
    written = np.empty((len(numbers), digits + 1), dtype=np.uint8)
    written[:, digits] = _SPACE
    wanted = np.ones(written.shape, dtype=bool)
    rest: NDArray[np.unsignedinteger] = numbers.astype(np.uint64 if digits > 9 else np.uint32)
    ten = rest.dtype.type(10)
    for place in range(digits - 1, -1, -1):
        wanted[:, place] = rest > 0  # no leading zeros
        tenth = rest // ten
        written[:, place] = rest - tenth * ten
        rest = tenth
    written[:, :digits] += _ZERO
    return written[wanted].tobytes()[:-1].decode("ascii")


def _numbers(text: str) -> NDArray[np.int64]:
    """The numbers of a text, an even number of them.

    Raises:
        DataError: there is something else in it.
    """
    bare = text.replace(" ", "")
    if bare and not (bare.isascii() and bare.isdigit()):
        raise DataError(f"Run lengths are whole numbers, not {_short(text)}.")
    numbers = np.fromstring(text, dtype=np.int64, sep=" ") if bare else np.empty(0, dtype=np.int64)
    if len(numbers) and numbers.max() >= 10**17:  # numpy takes what is too large for the largest that there is
        raise DataError(f"Run lengths are whole numbers of pixels, not {_short(text)}.")
    if len(numbers) % 2:
        raise DataError(f"Run lengths come in pairs of start and length; there are {len(numbers)} numbers.")
    return numbers


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
