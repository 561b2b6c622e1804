"""Run lengths in Kaggle's form: pairs of start (from 1) and length, down the columns from the left."""

import re

import numpy as np
from numpy.typing import NDArray

_NUMBERS = re.compile(r"[0-9]+( +[0-9]+)*")


def read_runs(text: str, size: tuple[int, int]) -> NDArray[np.intp]:
    """The pixels that the runs cover, as positions in an array (width, height), which is the image transposed.

    Args:
        text: `start length start length …`; nothing means no pixel.
        size: the image's (height, width), pixels.

    Raises:
        ValueError: it is no run-length code of an image of this size; says why.
    """
    if not text:
        return np.empty(0, dtype=np.intp)
    if not _NUMBERS.fullmatch(text):
        raise ValueError(f"{_short(text)!r} is not a list of numbers")
    numbers = [int(number) for number in text.split()]
    if len(numbers) % 2:
        raise ValueError(f"{len(numbers)} numbers do not make pairs of start and length")
    height, width = size
    if max(numbers) > height * width:
        raise ValueError(f"{max(numbers)} lies past the {height * width} pixels of an image of {height}x{width}")
    starts, lengths = np.array(numbers[::2], dtype=np.intp), np.array(numbers[1::2], dtype=np.intp)
    _check(starts, lengths, size)
    first = np.repeat(starts - 1, lengths)
    return first + np.arange(len(first)) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _check(starts: NDArray[np.intp], lengths: NDArray[np.intp], size: tuple[int, int]) -> None:
    height, width = size
    if starts.min() < 1:
        raise ValueError("a run starts at 0; the first pixel is 1")
    if lengths.min() < 1:
        raise ValueError(f"the run at {starts[lengths.argmin()]} has length 0")
    order = np.argsort(starts)
    ends = (starts + lengths)[order]
    if ends.max() - 1 > height * width:
        raise ValueError(
            f"a run ends at pixel {ends.max() - 1}, past the {height * width} of an image of {height}x{width}"
        )
    overlapping = np.flatnonzero(ends[:-1] > starts[order][1:])
    if len(overlapping):
        raise ValueError(f"the run at {starts[order][overlapping[0] + 1]} overlaps the one before it")


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}…"
