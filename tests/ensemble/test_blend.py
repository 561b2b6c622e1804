import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from competition.ensemble.blend import best_class, blend, counts_of, weighted_sum


def pixels(*columns: list[int]) -> np.ndarray:
    """uint8 (C, 1, P) from the bytes of each pixel."""
    return np.array(columns, np.uint8).T[:, None, :]


def test_equal_weights_by_hand() -> None:
    first = pixels([200, 40, 15], [100, 110, 45], [90, 80, 85])
    second = pixels([100, 145, 10], [60, 20, 175], [90, 80, 85])
    # Sums: [300, 185, 25], [160, 130, 220], [180, 160, 170].
    assert blend([first, second], [1, 1]).tolist() == [[0, 2, 0]]


def test_weights_by_hand() -> None:
    first = pixels([150, 105, 0])
    second = pixels([100, 155, 0])
    assert blend([first, second], [1, 1]).tolist() == [[1]]  # 250 against 260
    assert blend([first, second], [3, 1]).tolist() == [[0]]  # 550 against 470
    assert blend([first, second], [9, 8]).tolist() == [[1]]  # 2150 against 2185


def test_the_lower_class_wins_a_tie() -> None:
    assert blend([pixels([85, 85, 85], [0, 120, 120])], [1]).tolist() == [[0, 1]]
    assert blend([pixels([100, 50, 0]), pixels([50, 100, 0])], [1, 1]).tolist() == [[0]]


def test_a_weight_of_nothing_leaves_a_member_out() -> None:
    assert blend([pixels([255, 0, 0]), pixels([0, 0, 255])], [0, 4]).tolist() == [[2]]


@pytest.mark.parametrize("total", [1, 2, 257, 258, 2**20])
def test_sums_never_overflow(total: int) -> None:
    full = np.full((2, 3), 255, np.uint8)
    assert (weighted_sum([full, full], [total - total // 2, total // 2]).astype(np.int64) == 255 * total).all()


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(2, 12), st.integers(1, 30), st.integers(1, 30))
def test_equals_argmax_of_exact_sums_whatever_the_order(seed: int, m: int, c: int, h: int, w: int) -> None:
    generator = np.random.default_rng(seed)
    views = [generator.integers(0, 4, (c, h, w)).astype(np.uint8) * 85 for _ in range(m)]  # coarse, so that ties occur
    counts = generator.integers(1, 9, m).tolist()
    expected = sum(v.astype(np.int64) * k for v, k in zip(views, counts, strict=True)).argmax(axis=0)
    for order in itertools.permutations(range(m)):
        assert np.array_equal(blend([views[i] for i in order], [counts[i] for i in order]), expected)


def test_images_larger_than_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    views = [generator.integers(0, 256, (5, 31, 17)).astype(np.uint8) for _ in range(3)]
    whole = blend(views, [1, 2, 3])
    monkeypatch.setattr("competition.ensemble.blend._BLOCK", 100)
    assert np.array_equal(blend(views, [1, 2, 3]), whole)


def test_best_class_leaves_its_input_alone() -> None:
    planes = np.array([[1, 5], [3, 2], [3, 9]], np.uint16)
    assert best_class(planes).tolist() == [1, 2]
    assert planes.tolist() == [[1, 5], [3, 2], [3, 9]]


@pytest.mark.parametrize(
    ("weights", "counts"),
    [
        ([1.0], (1,)),
        ([0.5, 0.5], (1, 1)),
        ([0.2, 0.2], (1, 1)),
        ([1 / 3, 2 / 3], (1, 2)),
        ([17 / 64, 47 / 64], (17, 47)),
        ([0.0, 0.7], (0, 1)),
        ([100 / 257, 157 / 257], (100, 157)),
    ],
)
def test_weights_become_the_smallest_whole_numbers(weights: list[float], counts: tuple[int, ...]) -> None:
    assert counts_of(weights) == counts


def test_other_weights_are_kept_to_one_in_a_million() -> None:
    weights = np.array([np.pi, np.e, 1.0]) / (np.pi + np.e + 1)
    counts = np.array(counts_of(weights.tolist()))
    assert np.abs(counts / counts.sum() - weights).max() < 1e-6
    assert 255 * counts.sum() < 2**32


@pytest.mark.parametrize("weights", [[0.0, 0.0], [0.5, -0.1], [float("nan"), 1.0], [float("inf"), 1.0]])
def test_weights_that_make_no_mean(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights must be 0 or more"):
        counts_of(weights)
