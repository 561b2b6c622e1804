import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from competition.ensemble.blend import Weighting, best_class, blend, rounded, weighted_sum, weighting_of, weights_of
from competition.ensemble.methods import Method
from competition.ensemble.score_experiments import is_contested

FIXED = [Method.MEAN, Method.VOTE, Method.GEOMETRIC, Method.RANK]


def pixels(*columns: list[int]) -> np.ndarray:
    """uint8 (C, 1, P) from the bytes of each pixel."""
    return np.array(columns, np.uint8).T[:, None, :]


THREE = [pixels([250, 5, 0]), pixels([100, 155, 0]), pixels([120, 135, 0])]
"""Two of three say class 1, none of them as surely as the first says class 0."""


@pytest.mark.parametrize(
    ("method", "winner"), [(Method.MEAN, 0), (Method.VOTE, 1), (Method.RANK, 1), (Method.GEOMETRIC, 0)]
)
def test_by_hand(method: Method, winner: int) -> None:
    # Mean: 470 against 295. Votes: 1 against 2. Ranks: 2 + 1 + 1 against 1 + 2 + 2.
    # Products: 250 x 100 x 120 = 3.0 million against 5 x 155 x 135 = 0.1 million.
    assert blend(THREE, (1, 1, 1), method).tolist() == [[winner]]


def test_who_rules_a_class_out_counts_for_much_in_a_geometric_mean() -> None:
    views = [pixels([200, 55]), pixels([200, 55]), pixels([0, 255])]
    assert blend(views, (1, 1, 1), Method.MEAN).tolist() == [[0]]  # 400 against 365
    assert blend(views, (1, 1, 1), Method.GEOMETRIC).tolist() == [[1]]  # 200 x 200 x 0.5 against 55 x 55 x 255


def test_equal_votes_are_parted_by_probability() -> None:
    views = [pixels([130, 125, 0], [0, 130, 125]), pixels([0, 255, 0], [0, 120, 135])]
    assert blend(views, (1, 1), Method.VOTE).tolist() == [[1, 2]]  # 130 against 380; 250 against 260


def test_weights_by_class_by_hand() -> None:
    views = [pixels([100, 90, 65]), pixels([60, 120, 75])]
    weighting: Weighting = ((3, 1, 2), (1, 3, 2))
    # 3 x 100 + 60 = 360, 90 + 3 x 120 = 450, 2 x 65 + 2 x 75 = 280.
    assert weighted_sum([view[:, 0] for view in views], weighting).ravel().tolist() == [360, 450, 280]


@settings(max_examples=60)
@given(st.sampled_from(FIXED), st.integers(0, 2**32), st.integers(1, 5), st.integers(2, 9))
def test_agreement_decides_in_every_method(method: Method, seed: int, experiments: int, classes: int) -> None:
    generator = np.random.default_rng(seed)
    views = list(
        generator.integers(0, 5, (experiments, classes, 200)).astype(np.uint8) * 63
    )  # coarse, so that ties occur
    answers = [best_class(view) for view in views]
    settled = ~is_contested(views, answers, lead=0)
    counts = generator.integers(1, 9, experiments).tolist()
    blended = best_class(weighted_sum(views, counts, method))
    assert np.array_equal(blended[settled], answers[0][settled])


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(2, 6))
def test_no_weights_by_class_change_what_is_settled_for_them(seed: int, experiments: int, classes: int) -> None:
    generator = np.random.default_rng(seed)
    views = [
        np.rint(255 * generator.dirichlet(np.full(classes, 0.2), 300)).astype(np.uint8).T.copy()
        for _ in range(experiments)
    ]
    answers = [best_class(view) for view in views]
    settled = ~is_contested(views, answers, lead=1)
    columns = [rounded(generator.dirichlet(np.full(experiments, 0.5))) for _ in range(classes)]
    total = [sum(map(int, column)) for column in columns]  # type: ignore[arg-type]
    table = tuple(
        tuple(int(column[m]) * 256 // t for column, t in zip(columns, total, strict=True))  # type: ignore[arg-type]
        for m in range(experiments)
    )
    assert np.array_equal(best_class(weighted_sum(views, table))[settled], answers[0][settled])


@settings(max_examples=30)
@given(st.sampled_from(FIXED), st.integers(0, 2**32), st.integers(2, 4))
def test_the_order_of_members_changes_nothing(method: Method, seed: int, experiments: int) -> None:
    generator = np.random.default_rng(seed)
    views = list(generator.integers(0, 256, (experiments, 4, 5, 7)).astype(np.uint8))
    first = blend(views, (1,) * experiments, method)
    for order in itertools.permutations(range(experiments)):
        assert np.array_equal(blend([views[m] for m in order], (1,) * experiments, method), first)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9).filter(lambda shares: sum(shares) > 0.01))
def test_shares_become_counts_and_weights_and_counts_again(shares: list[float]) -> None:
    exact = np.array(shares) / sum(shares)
    counts = rounded(exact)
    weights = weights_of(counts)
    assert sum(map(float, weights)) == pytest.approx(1)  # type: ignore[arg-type]
    assert np.abs(np.array(weights) - exact).max() < 1 / 256
    assert weighting_of(weights) == counts


def test_weights_by_class_come_back() -> None:
    table: Weighting = ((200, 0, 256), (56, 256, 0))
    weights = weights_of(table)
    assert weights[1] == [56 / 256, 1.0, 0.0]
    assert weighting_of(weights) == table
