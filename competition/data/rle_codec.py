"""Encoding and decoding of Kaggle's RLE (run lengths): `start length start length …`.

Pixels are counted from 1, down the columns from the left.
"""

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64] | NDArray[np.int32]

_MANY = 400
"""From this many numbers on, numpy writes the text faster than Python."""
_TOO_LARGE = 10**17
"""numpy reads a number above 2**63 - 1 as 2**63 - 1 without an error, so larger ones than this are refused."""
_SPACE, _ZERO = 32, 48


def encode(mask: Mask) -> str:
    """The RLE of a bool mask (H, W); an empty string for an empty mask."""
    return _text(rle_of(mask))


def rle_of(mask: Mask) -> Numbers:
    """The RLE of a bool mask (H, W) as numbers, (2R,): start, length, start, length, …; the first pixel is 1."""
    if not mask.size:
        return np.empty(0, dtype=np.int64)
    # The mask is read row by row, as it lies in memory, and the few positions of changes are converted to columns:
    # transposing the mask first would take longer than all the rest.
    height, width = mask.shape
    changes = np.empty(mask.shape, dtype=bool)
    np.not_equal(mask[1:], mask[:-1], out=changes[1:])
    np.not_equal(mask[0, 1:], mask[-1, :-1], out=changes[0, 1:])  # the top of a column follows the last one's end
    changes[0, 0] = mask[0, 0]
    positions = np.flatnonzero(changes).astype(np.int32 if mask.size < 2**31 else np.int64)
    rows = positions // width
    edges: Numbers = (positions - rows * width) * height + rows
    edges.sort()
    if len(edges) % 2:  # the last run reaches the end of the image
        edges = np.append(edges, np.array([mask.size], dtype=edges.dtype))
    edges[1::2] -= edges[::2]
    edges[::2] += 1
    return edges


def decode(text: str, size: tuple[int, int]) -> Mask:
    """The mask of an RLE, bool (H, W).

    Args:
        size: the image's (height, width), pixels.

    Raises:
        ValueError: the text is not an RLE of an image of this size; says why.
    """
    starts, lengths = parse_rle(text, size)
    ends = starts + lengths
    # np.repeat writes the mask in one go: the gap before each run as False, the run as True, then the rest as False.
    repeats = np.empty(2 * len(starts) + 1, dtype=np.int64)
    repeats[1::2] = lengths
    repeats[0:-1:2] = starts
    repeats[2:-1:2] -= ends[:-1]
    repeats[-1] = size[0] * size[1] - (ends[-1] if len(ends) else 0)
    is_run = np.zeros(len(repeats), dtype=bool)
    is_run[1::2] = True
    return np.repeat(is_run, repeats).reshape(size, order="F")


def pixels_of_rle(text: str, size: tuple[int, int]) -> NDArray[np.int64]:
    """The pixels of an RLE, int64 (P,), as positions in the flattened transpose (width, height) of the image.

    For an image with many small objects this is faster than a mask for each.

    Raises:
        ValueError: the text is not an RLE of an image of this size; says why.
    """
    starts, lengths = parse_rle(text, size)
    first = np.repeat(starts, lengths)
    return first + np.arange(len(first)) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def parse_rle(text: str, size: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The starts of the runs, counted from 0, and their lengths, both int64 (R,), sorted by start.

    Args:
        text: an empty text means an empty mask.
        size: the image's (height, width), pixels.

    Raises:
        ValueError: the text is not an RLE of an image of this size; says why.
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
        raise ValueError("a run starts at pixel 0, but the first pixel is 1")
    if lengths.min() < 1:
        raise ValueError(f"the run at pixel {starts[lengths.argmin()]} has the length 0")
    if ends.max() > pixels:
        raise ValueError(f"a run ends at pixel {ends.max()}, but the image of {size[0]}x{size[1]} has {pixels} pixels")
    overlapping = np.flatnonzero(starts[1:] <= ends[:-1])
    if len(overlapping):
        raise ValueError(f"the run at pixel {starts[overlapping[0] + 1]} overlaps the run before it")
    return starts - 1, lengths


def _numbers(text: str) -> NDArray[np.int64]:
    """The numbers in a text, an even number of them, int64 (2R,).

    Raises:
        ValueError: the text holds anything else.
    """
    bare = text.replace(" ", "")
    if bare and not (bare.isascii() and bare.isdigit()):
        raise ValueError(f"{_short(text)!r} is not a list of whole numbers")
    numbers = np.fromstring(text, dtype=np.int64, sep=" ") if bare else np.empty(0, dtype=np.int64)
    if len(numbers) and numbers.max() >= _TOO_LARGE:
        raise ValueError(f"{_short(text)!r} holds a number larger than any image")
    if len(numbers) % 2:
        raise ValueError(f"{len(numbers)} numbers cannot be pairs of start and length")
    return numbers


def _text(numbers: Numbers) -> str:
    """The numbers, 1 or more each, as text with spaces between them."""
    if len(numbers) < _MANY:
        return " ".join(map(str, numbers.tolist()))
    # A row of ASCII codes for each number, filled digit by digit from the right; then all but leading zeros are kept.
    digits = len(str(numbers.max()))
    written = np.empty((len(numbers), digits + 1), dtype=np.uint8)
    written[:, digits] = _SPACE
    keep = np.ones(written.shape, dtype=bool)
    rest: NDArray[np.unsignedinteger] = numbers.astype(np.uint64 if digits > 9 else np.uint32)
    ten = rest.dtype.type(10)
    for digit in range(digits - 1, -1, -1):
        keep[:, digit] = rest > 0  # False for leading zeros
        tenth = rest // ten
        written[:, digit] = rest - tenth * ten
        rest = tenth
    written[:, :digits] += _ZERO
    return written[keep].tobytes()[:-1].decode("ascii")


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
