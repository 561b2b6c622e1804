import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from competition.ensemble.writers import rle
from competition.errors import DataError


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
    assert rle.encode(mask) == text
    assert np.array_equal(rle.decode(text, mask.shape), mask)


@given(npst.arrays(np.bool_, npst.array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_round_trip(mask: np.ndarray) -> None:
    assert np.array_equal(rle.decode(rle.encode(mask), mask.shape), mask)


@given(st.text(alphabet="0123456789 -.x\n\u00b2", max_size=30))
def test_any_text_is_a_mask_or_an_error(text: str) -> None:
    try:
        mask = rle.decode(text, (4, 5))
    except DataError:
        return
    assert mask.shape == (4, 5)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 2 3", "come in pairs"),
        ("1 -2", "whole numbers"),
        ("1 2.0", "whole numbers"),
        ("nan 1", "whole numbers"),
        ("1 " + "9" * 30, "whole numbers"),
        ("0 1", "leaves the 4x5 mask"),
        ("1 0", "leaves the 4x5 mask"),
        ("20 2", "leaves the 4x5 mask"),
        ("1 3 3 1", "overlap"),
        ("5 1 1 1", "overlap, or are not in order"),
    ],
)
def test_what_is_no_encoding(text: str, why: str) -> None:
    with pytest.raises(DataError, match=why):
        rle.decode(text, (4, 5))


@pytest.mark.parametrize("side", [40, 300])
def test_many_numbers_are_written_like_few(side: int) -> None:
    """From 400 numbers on another way of writing them is taken."""
    mask = np.random.default_rng(side).random((side, side)) < 0.5
    numbers = rle.runs_of(mask).tolist()
    assert len(numbers) > 400
    assert rle.encode(mask) == " ".join(map(str, numbers))
    assert np.array_equal(rle.decode(rle.encode(mask), mask.shape), mask)


def test_a_mask_without_pixels_has_no_runs() -> None:
    assert rle.encode(np.zeros((0, 4), bool)) == ""


def test_a_view_of_a_larger_mask_is_a_mask() -> None:
    large = np.random.default_rng(0).random((9, 12)) < 0.5
    view = large[1:8:2, ::-3]
    assert rle.encode(view) == rle.encode(view.copy())


@pytest.mark.parametrize("text", ["1\t2", "1\n2", "1 2\r", "+1 2", "1_0 2", "\u0661 2", "1e1 2", "0x1 2"])
def test_only_digits_and_spaces(text: str) -> None:
    with pytest.raises(DataError, match="whole numbers"):
        rle.decode(text, (4, 5))


def test_touching_runs_are_one_run() -> None:
    assert rle.decode("1 2 3 2", (4, 5)).ravel(order="F")[:5].tolist() == [True] * 4 + [False]
