import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from competition.data.split.balance import balanced


def parts(*columns: list[float]) -> np.ndarray:
    """(P, F): each column as parts of its sum."""
    table = np.array(columns, dtype=np.float64).T
    return table / table.sum(axis=0)


def test_weights_that_fit_are_dealt_out_exactly() -> None:
    placed = balanced(parts([8, 5, 4, 3, 2, 2]), shares=(0.5, 0.5), seed=0)
    held = np.bincount(placed, weights=[8, 5, 4, 3, 2, 2])
    assert held.tolist() == [12, 12]


def test_swaps_mend_what_largest_first_does_wrong() -> None:
    weights = [9, 7, 6, 5, 5]  # largest first makes 9+5 | 7+6+5, and no single move betters it
    held = np.bincount(balanced(parts(weights), shares=(0.5, 0.5), seed=0, starts=1), weights=weights)
    assert sorted(held.tolist()) == [16, 16]


def test_sides_may_want_different_shares() -> None:
    placed = balanced(parts([1.0] * 50), shares=(0.2, 0.8), seed=3)
    assert np.bincount(placed).tolist() == [10, 40]


def test_two_things_are_balanced_at_once() -> None:
    red, blue = [1, 1, 1, 1, 0, 0, 0, 0], [0, 0, 2, 2, 2, 2, 0, 0]
    placed = balanced(parts(red, blue, [1.0] * 8), shares=(0.5, 0.5), seed=0)
    assert np.bincount(placed).tolist() == [4, 4]
    assert np.bincount(placed, weights=red).tolist() == [2, 2]
    assert np.bincount(placed, weights=blue).tolist() == [4, 4]


def test_no_side_stays_empty_even_beside_a_giant() -> None:
    for seed in range(5):
        placed = balanced(parts([1000, 1, 1, 1]), shares=(0.25,) * 4, seed=seed)
        assert sorted(placed.tolist()) == [0, 1, 2, 3]


def test_seeds_make_different_sides_and_the_same_seed_the_same() -> None:
    amounts = parts([1.0] * 40)
    first, again, other = (balanced(amounts, shares=(0.25,) * 4, seed=seed).tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_the_sides_are_the_same_on_every_machine() -> None:
    amounts = parts([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], [2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5])
    assert balanced(amounts, shares=(0.25,) * 4, seed=7).tolist() == PINNED


PINNED = [2, 1, 1, 2, 2, 0, 3, 3, 2, 0, 3, 1]


@settings(max_examples=40)
@given(st.lists(st.integers(1, 100), min_size=5, max_size=30), st.integers(2, 5), st.integers(0, 5))
def test_sides_differ_by_no_more_than_the_largest_piece(weights: list[int], sides: int, seed: int) -> None:
    placed = balanced(parts([float(w) for w in weights]), shares=(1 / sides,) * sides, seed=seed)
    held = np.bincount(placed, weights=weights, minlength=sides)
    assert held.min() > 0
    assert held.max() - held.min() <= max(weights)
