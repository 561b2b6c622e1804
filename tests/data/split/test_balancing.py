import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from competition.data.split.balancing import _improve, balance


def parts(*columns: list[float]) -> np.ndarray:
    """(P, F): each column as parts of its sum."""
    table = np.array(columns, dtype=np.float64).T
    return table / table.sum(axis=0)


def test_weights_that_fit_are_balanced_exactly() -> None:
    side_of = balance(parts([8, 5, 4, 3, 2, 2]), shares=(0.5, 0.5), seed=0)
    held = np.bincount(side_of, weights=[8, 5, 4, 3, 2, 2])
    assert held.tolist() == [12, 12]


def test_a_swap_improves_sides_that_no_move_improves() -> None:
    values = np.array([[9], [7], [6], [5], [5]])
    side_of = np.array([0, 1, 1, 0, 1])  # 9+5 | 7+6+5, as largest first places them
    _improve(values, np.array([[16], [16]]), side_of, np.arange(5))
    assert np.bincount(side_of, weights=values[:, 0]).tolist() == [16, 16]


def test_sides_may_have_different_shares() -> None:
    side_of = balance(parts([1.0] * 50), shares=(0.2, 0.8), seed=3)
    assert np.bincount(side_of).tolist() == [10, 40]


def test_two_properties_are_balanced_at_once() -> None:
    red, blue = [1, 1, 1, 1, 0, 0, 0, 0], [0, 0, 2, 2, 2, 2, 0, 0]
    side_of = balance(parts(red, blue, [1.0] * 8), shares=(0.5, 0.5), seed=0)
    assert np.bincount(side_of).tolist() == [4, 4]
    assert np.bincount(side_of, weights=red).tolist() == [2, 2]
    assert np.bincount(side_of, weights=blue).tolist() == [4, 4]


def test_no_side_stays_empty_even_next_to_a_large_bundle() -> None:
    for seed in range(5):
        side_of = balance(parts([1000, 1, 1, 1]), shares=(0.25,) * 4, seed=seed)
        assert sorted(side_of.tolist()) == [0, 1, 2, 3]


def test_seeds_make_different_sides_and_the_same_seed_the_same() -> None:
    amounts = parts([1.0] * 40)
    first, again, other = (balance(amounts, shares=(0.25,) * 4, seed=seed).tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_the_sides_are_the_same_on_every_machine() -> None:
    amounts = parts([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], [2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5])
    assert balance(amounts, shares=(0.25,) * 4, seed=7).tolist() == PINNED


PINNED = [2, 1, 1, 2, 2, 0, 3, 3, 2, 0, 3, 1]


@settings(max_examples=40)
@given(st.lists(st.integers(1, 100), min_size=5, max_size=30), st.integers(2, 5), st.integers(0, 5))
def test_sides_differ_by_no_more_than_the_largest_bundle(weights: list[int], sides: int, seed: int) -> None:
    side_of = balance(parts([float(w) for w in weights]), shares=(1 / sides,) * sides, seed=seed)
    held = np.bincount(side_of, weights=weights, minlength=sides)
    assert held.min() > 0
    assert held.max() - held.min() <= max(weights)
