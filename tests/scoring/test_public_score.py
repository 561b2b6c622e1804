import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from competition.scoring import public_score as board

IMAGES = {"cv_images": 400, "public_images": 100, "private_images": 200}


def test_spearman_by_hand_and_with_ties() -> None:
    # Differences of ranks 0, 1, 1, 0: 1 - 6 * 2 / (4 * 15).
    assert board.spearman([1, 2, 3, 4], [10, 30, 20, 40]) == pytest.approx(0.8)
    assert board.spearman([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    # Ranks with ties 1, 2.5, 2.5, 4, 5.5, 5.5 and 2, 1, 4.5, 4.5, 6, 3; about their mean 3.5, the sum of products is
    # 9.75, and the sums of squares are 16.5 and 17.
    assert board.spearman([1, 2, 2, 5, 7, 7], [2, 1, 4, 4, 9, 3]) == pytest.approx(9.75 / math.sqrt(16.5 * 17))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3))
def test_spearman_is_the_correlation_of_mean_ranks(pairs: list[tuple[int, int]]) -> None:
    def mean_ranks(values: tuple[int, ...]) -> list[float]:
        return [sum(w < v for w in values) + (values.count(v) + 1) / 2 for v in values]

    first, second = zip(*pairs, strict=True)
    found = board.spearman(first, second)
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(statistics.correlation(mean_ranks(first), mean_ranks(second)))


@pytest.mark.parametrize("pairs", range(3, 40))
def test_orders_that_are_equal_or_opposite_correlate_exactly(pairs: int) -> None:
    scores = [0.5 + math.sin(n) / 7 for n in range(pairs)]
    assert board.spearman(scores, [2 * score for score in scores]) == 1
    assert board.spearman(scores, [-score for score in scores]) == -1


def test_spearman_of_too_little_is_nothing() -> None:
    assert board.spearman([1, 2], [1, 2]) is None
    assert board.spearman([1, 1, 1], [1, 2, 3]) is None


def test_the_interval_of_a_rank_correlation() -> None:
    # atanh(0.5) = 0.549306; sqrt(1.125 / 9) = 0.353553; times 1.959964 = 0.692952.
    low, high = board.spearman_interval(0.5, 12) or (0, 0)
    assert (low, high) == pytest.approx((math.tanh(-0.143646), math.tanh(1.242258)), abs=1e-5)
    assert board.spearman_interval(1.0, 5) == (1.0, 1.0)
    assert board.spearman_interval(0.5, 3) is None


def test_a_quarter_of_the_images_doubles_the_error() -> None:
    assert board.standard_error(0.01, cv_images=400, images=100) == pytest.approx(0.02)


def test_two_that_are_equal_swap_every_other_time() -> None:
    assert board.swap_probability(cv_lead=0.0, public_lead=None, lead_error=0.01, **IMAGES) == 0.5


def test_the_swap_probability_by_hand() -> None:
    # Pooled lead (400 * 0.01 + 100 * 0.02) / 500 = 0.012; s = 0.01 * 20 = 0.2; sd = 0.2 * sqrt(1/500 + 1/200).
    expected = stats.norm.cdf(-0.012 / (0.2 * math.sqrt(0.002 + 0.005)))
    assert board.swap_probability(cv_lead=0.01, public_lead=0.02, lead_error=0.01, **IMAGES) == pytest.approx(expected)


def test_a_public_lead_that_cv_contradicts_swaps_more_often_than_not() -> None:
    assert board.swap_probability(cv_lead=-0.01, public_lead=0.01, lead_error=0.005, **IMAGES) > 0.5


def test_models_that_err_alike_keep_their_order() -> None:
    found = [board.swap_probability(cv_lead=x, public_lead=x, lead_error=0.0, **IMAGES) for x in (0.01, 0.0, -0.01)]
    assert found == [0.0, 0.5, 1.0]


def test_the_swap_probability_is_what_happens() -> None:
    generator = np.random.default_rng(5)
    predicted, happened = [], []
    for _ in range(3000):
        truth = generator.normal(0, 0.01)
        lead = [generator.normal(truth, 0.2, n).mean() for n in (400, 100, 200)]
        sign = 1 if lead[1] > 0 else -1
        probability = board.swap_probability(
            cv_lead=sign * lead[0], public_lead=sign * lead[1], lead_error=0.01, **IMAGES
        )
        predicted.append(probability)
        happened.append(sign * lead[2] < 0)
    # The pooled lead ignores that true leads are small (the prior), so it is a little too sure of itself.
    assert np.mean(happened) == pytest.approx(np.mean(predicted), abs=0.06)
    likely = np.array(predicted) > 0.35
    assert np.mean(np.array(happened)[likely]) > np.mean(np.array(happened)[~likely]) + 0.1


def test_two_equal_bets_gain_what_clark_says() -> None:
    assert board.gain_of_two(0.0, 0.02) == pytest.approx(0.02 / math.sqrt(2 * math.pi))
    assert board.gain_of_two(0.03, 0.0) == 0.0
    assert board.gain_of_two(-0.03, 0.0) == 0.03
    draws = np.random.default_rng(2).normal(0.01, 0.02, 200_000)
    assert board.gain_of_two(0.01, 0.02) == pytest.approx(np.maximum(0, -draws).mean(), rel=0.02)


@pytest.mark.parametrize(
    ("cv", "public", "steps"),
    [
        ([], [], []),
        ([0.5], [0.4], []),
        ([0.5, 0.6], [0.4, 0.5], []),
        ([0.5, 0.5], [0.4, 0.5], [(0, 1)]),
        ([0.6, 0.5, 0.55, 0.58], [0.40, 0.41, 0.39, 0.42], [(0, 1), (1, 3)]),
        ([0.6, 0.5, 0.7], [0.40, 0.41, 0.42], []),
        ([0.6, 0.7, 0.5], [0.40, 0.39, 0.38], []),
    ],
)
def test_climbing_without_cv(cv: list[float], public: list[float], steps: list[tuple[int, int]]) -> None:
    assert board.unsupported_climb(cv, public) == steps
