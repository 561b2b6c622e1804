from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from competition.data.readers.runs import read_runs

MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))


def test_runs_go_down_the_columns_from_one() -> None:
    # 3 high, 2 wide: pixels 2 and 3 are the lower two of the first column, 4 is the top of the second
    assert read_runs("2 3", (3, 2)).tolist() == [1, 2, 3]
    assert read_runs("6 1 1 1", (3, 2)).tolist() == [5, 0]
    assert read_runs("", (3, 2)).tolist() == []


@given(MASKS)
def test_what_kaggle_writes_is_read_back(mask: NDArray[np.bool_]) -> None:
    flat = np.zeros(mask.size, bool)
    flat[read_runs(kaggle_rle(mask), mask.shape)] = True
    np.testing.assert_array_equal(flat.reshape(mask.T.shape).T, mask)


@given(st.text(alphabet="0123456789 -.,x", max_size=20))
def test_any_text_is_runs_or_says_why_not(text: str) -> None:
    with suppress(ValueError):
        pixels = read_runs(text, (4, 5))
        assert len(set(pixels.tolist())) == len(pixels)
        assert all(0 <= pixel < 20 for pixel in pixels)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 2 3", "3 numbers do not make pairs"),
        ("1 x", "'1 x' is not a list of numbers"),
        ("1.0 2", "not a list of numbers"),
        ("-1 2", "not a list of numbers"),
        ("nan", "not a list of numbers"),
        ("0 2", "a run starts at 0; the first pixel is 1"),
        ("3 0", "the run at 3 has length 0"),
        ("6 2", "a run ends at pixel 7, past the 6 of an image of 3x2"),
        ("7 1", "7 lies past the 6 pixels"),
        ("99999999999999999999999 1", "lies past the 6 pixels"),
        ("1 3 3 1", "the run at 3 overlaps the one before it"),
        ("3 1 1 3", "the run at 3 overlaps the one before it"),
    ],
)
def test_each_mistake_is_named(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_runs(text, (3, 2))


def kaggle_rle(mask: NDArray[np.bool_]) -> str:
    """The way that competitions' own starter kernels write runs."""
    padded = np.concatenate([[0], mask.T.flatten(), [0]])
    runs = np.where(padded[1:] != padded[:-1])[0] + 1
    runs[1::2] -= runs[::2]
    return " ".join(map(str, runs))
