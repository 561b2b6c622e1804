"""Run lengths in Kaggle's form: `start length start length …`, pixels counted from 1, column after column."""

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64] | NDArray[np.int32]

_MANY = 400
"""From so many numbers on, numpy writes them faster than Python."""
_TOO_LARGE = 10**17
"""numpy takes a number that is too large for the largest that there is."""
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


def decode(text: str, size: tuple[int, int]) -> Mask:
    """The runs as a bool mask (H, W).

    Raises:
        ValueError: they are no run lengths of a mask of this size; says why.
    """
    starts, lengths = read(text, size)
    ends = starts + lengths
    # False and True in turn, each repeated: as often as there are pixels since the last run, then the run's length.
    stretches = np.empty(2 * len(starts) + 1, dtype=np.int64)
    stretches[1::2] = lengths
    stretches[0:-1:2] = starts
    stretches[2:-1:2] -= ends[:-1]
    stretches[-1] = size[0] * size[1] - (ends[-1] if len(ends) else 0)
    is_run = np.zeros(len(stretches), dtype=bool)
    is_run[1::2] = True
    return np.repeat(is_run, stretches).reshape(size, order="F")


def covered(text: str, size: tuple[int, int]) -> NDArray[np.int64]:
    """The pixels of the runs as positions in an array (width, height), which is the image transposed.

    Where an image has many small objects this is less work than a mask for each.

    Raises:
        ValueError: they are no run lengths of a mask of this size; says why.
    """
    starts, lengths = read(text, size)
    first = np.repeat(starts, lengths)
    return first + np.arange(len(first)) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def read(text: str, size: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the runs start, counted from 0, and how long they are; from the first to the last, whatever their order.

    Args:
        text: nothing means no pixel.
        size: the image's (height, width), pixels.

    Raises:
        ValueError: it is no run-length code of an image of this size; says why.
    """
    starts, lengths = _numbers(text).reshape(-1, 2).T
    if not len(starts):
        return starts, lengths
    if (starts[1:] < starts[:-1]).any():
        order = np.argsort(starts, kind="stable")
        starts, lengths = starts[order], lengths[order]
    ends = starts + lengths - 1
    pixels = size[0] * size[1]
    if starts[0] < 1:
        raise ValueError("a run starts at 0; the first pixel is 1")
    if lengths.min() < 1:
        raise ValueError(f"the run at {starts[lengths.argmin()]} has length 0")
    if ends.max() > pixels:
        raise ValueError(f"a run ends at pixel {ends.max()}, past the {pixels} of an image of {size[0]}x{size[1]}")
    overlapping = np.flatnonzero(starts[1:] <= ends[:-1])
    if len(overlapping):
        raise ValueError(f"the run at {starts[overlapping[0] + 1]} overlaps the one before it")
    return starts - 1, lengths


def _numbers(text: str) -> NDArray[np.int64]:
    """The numbers of a text, an even number of them.

    Raises:
        ValueError: there is something else in it.
    """
    bare = text.replace(" ", "")
    if bare and not (bare.isascii() and bare.isdigit()):
        raise ValueError(f"{_short(text)!r} is not a list of whole numbers")
    numbers = np.fromstring(text, dtype=np.int64, sep=" ") if bare else np.empty(0, dtype=np.int64)
    if len(numbers) and numbers.max() >= _TOO_LARGE:
        raise ValueError(f"{_short(text)!r} holds a number that no image has pixels for")
    if len(numbers) % 2:
        raise ValueError(f"{len(numbers)} numbers do not make pairs of start and length")
    return numbers


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


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
