import math

import numpy as np
import pytest

from competition.scoring import confusion, metrics
from competition.settings import Metric

HAND = np.array([[3, 1, 0], [2, 4, 0], [0, 0, 0]], np.int64)
"""Class 0: 3 hit, 4 true, 5 predicted. Class 1: 4 hit, 6 true, 5 predicted. Class 2 is absent."""


def test_iou_by_hand() -> None:
    np.testing.assert_allclose(metrics.per_class_iou(HAND), [3 / 6, 4 / 7, np.nan])


def test_dice_by_hand() -> None:
    np.testing.assert_allclose(metrics.per_class_dice(HAND), [6 / 9, 8 / 11, np.nan])


def test_an_absent_class_is_left_out_of_the_mean() -> None:
    assert metrics.score(Metric.MIOU, HAND) == pytest.approx((3 / 6 + 4 / 7) / 2)
    assert metrics.score(Metric.DICE, HAND) == pytest.approx((6 / 9 + 8 / 11) / 2)


def test_a_class_that_is_only_predicted_scores_zero() -> None:
    matrix = np.array([[2, 0, 1], [0, 3, 0], [0, 0, 0]], np.int64)
    assert metrics.per_class_iou(matrix).tolist() == [2 / 3, 1.0, 0.0]


def test_a_class_that_is_missed_entirely_scores_zero() -> None:
    matrix = np.array([[2, 0], [5, 0]], np.int64)
    assert metrics.per_class_iou(matrix).tolist() == [2 / 7, 0.0]


def test_matrices_are_added_up_before_they_are_scored() -> None:
    first = np.array([[10, 0], [0, 0]], np.int64)
    second = np.array([[0, 0], [2, 2]], np.int64)
    together = (10 / 12 + 2 / 4) / 2
    assert metrics.score(Metric.MIOU, np.stack([first, second])) == pytest.approx(together)
    apart = metrics.score_each(Metric.MIOU, np.stack([first, second]))
    np.testing.assert_allclose(apart, [1.0, (0 + 0.5) / 2])


def test_nothing_to_score_is_no_score() -> None:
    assert math.isnan(metrics.score(Metric.MIOU, np.zeros((0, 3, 3), np.int64)))
    assert np.isnan(metrics.per_class_dice(np.zeros((3, 3), np.int64))).all()


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn_where_every_class_occurs(seed: int) -> None:
    from sklearn.metrics import f1_score, jaccard_score

    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 6, 500).astype(np.uint8)
    prediction = np.where(generator.random(500) < 0.6, truth, generator.integers(0, 6, 500)).astype(np.uint8)
    matrix = confusion.count(prediction.reshape(20, 25), truth.reshape(20, 25), 6)
    np.testing.assert_allclose(metrics.per_class_iou(matrix), jaccard_score(truth, prediction, average=None))
    np.testing.assert_allclose(metrics.per_class_dice(matrix), f1_score(truth, prediction, average=None))
    assert metrics.score(Metric.MIOU, matrix) == pytest.approx(jaccard_score(truth, prediction, average="macro"))
    assert metrics.score(Metric.DICE, matrix) == pytest.approx(f1_score(truth, prediction, average="macro"))
