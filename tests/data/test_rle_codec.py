import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from competition.data.rle_codec import decode, encode, pixels_of_rle, rle_of

MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20))


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (["000", "000"], ""),
        (["111", "111"], "1 6"),
        (["100", "000"], "1 1"),
        (["000", "001"], "6 1"),
        (["010", "010"], "3 2"),  # down the second column
        (["011", "100"], "2 2 5 1"),  # pixel 2 is below pixel 1, and the run goes on at the top of the next column
        (["101", "010"], "1 1 4 2"),
    ],
)
def test_by_hand(rows: list[str], text: str) -> None:
    mask = np.array([[cell == "1" for cell in row] for row in rows])
    assert encode(mask) == text
    assert np.array_equal(decode(text, mask.shape), mask)


def test_covered_pixels_are_counted_down_the_columns() -> None:
    # 3 high, 2 wide: pixels 2 and 3 are the lower two of the first column, 4 is the top of the second
    assert pixels_of_rle("2 3", (3, 2)).tolist() == [1, 2, 3]
    assert pixels_of_rle("6 1 1 1", (3, 2)).tolist() == [0, 5]
    assert pixels_of_rle("", (3, 2)).tolist() == []


@given(MASKS)
def test_what_kaggle_writes_is_read_back(mask: NDArray[np.bool_]) -> None:
    text = kaggle_rle(mask)
    assert encode(mask) == text
    assert np.array_equal(decode(text, mask.shape), mask)
    flat = np.zeros(mask.size, bool)
    flat[pixels_of_rle(text, mask.shape)] = True
    assert np.array_equal(flat.reshape(mask.T.shape).T, mask)


def test_the_order_of_the_runs_does_not_matter() -> None:
    assert np.array_equal(decode("5 2 1 1", (3, 2)), decode("1 1 5 2", (3, 2)))


@given(st.text(alphabet="0123456789 -.x\n\u00b2", max_size=30))
def test_any_text_is_a_mask_or_an_error(text: str) -> None:
    try:
        mask = decode(text, (4, 5))
    except ValueError:
        return
    assert mask.shape == (4, 5)
    assert sorted(pixels_of_rle(text, (4, 5)).tolist()) == np.flatnonzero(mask.T).tolist()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 2 3", "3 numbers cannot be pairs"),
        ("1 x", "'1 x' is not a list of whole numbers"),
        ("1.0 2", "not a list of whole numbers"),
        ("-1 2", "not a list of whole numbers"),
        ("nan", "not a list of whole numbers"),
        ("0 2", "a run starts at pixel 0, but the first pixel is 1"),
        ("3 0", "the run at pixel 3 has the length 0"),
        ("6 2", "a run ends at pixel 7, but the image of 3x2 has 6 pixels"),
        ("7 1", "a run ends at pixel 7, but"),
        ("9" * 23 + " 1", "holds a number larger than any image"),
        ("1 3 3 1", "the run at pixel 3 overlaps the run before it"),
        ("3 1 1 3", "the run at pixel 3 overlaps the run before it"),
    ],
)
def test_each_mistake_is_named(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        decode(text, (3, 2))
    with pytest.raises(ValueError, match=why):
        pixels_of_rle(text, (3, 2))


@pytest.mark.parametrize("side", [40, 300])
def test_many_numbers_are_written_like_few(side: int) -> None:
    """From 400 numbers on another way of writing them is taken."""
    mask = np.random.default_rng(side).random((side, side)) < 0.5
    numbers = rle_of(mask).tolist()
    assert len(numbers) > 400
    assert encode(mask) == " ".join(map(str, numbers))
    assert np.array_equal(decode(encode(mask), mask.shape), mask)


def test_a_mask_without_pixels_has_no_runs() -> None:
    assert encode(np.zeros((0, 4), bool)) == ""


def test_a_view_of_a_larger_mask_is_a_mask() -> None:
    large = np.random.default_rng(0).random((9, 12)) < 0.5
    view = large[1:8:2, ::-3]
    assert encode(view) == encode(view.copy())


def kaggle_rle(mask: NDArray[np.bool_]) -> str:
    """The way that competitions' own starter kernels write runs."""
    padded = np.concatenate([[0], mask.T.flatten(), [0]])
    runs = np.where(padded[1:] != padded[:-1])[0] + 1
    runs[1::2] -= runs[::2]
    return " ".join(map(str, runs))
