import math
from collections.abc import Callable

import numpy as np
import pytest

from competition.config.settings import IGNORE_INDEX, Metric
from competition.scoring import confusion, metrics

HAND = np.array([[3, 1, 0], [2, 4, 0], [0, 0, 0]], np.int64)
"""Class 0: 3 hit, 4 true, 5 predicted. Class 1: 4 hit, 6 true, 5 predicted. Class 2 is absent."""
SECOND = np.array([[0, 0, 0], [0, 6, 2], [0, 0, 0]], np.int64)
"""Class 0 is absent. Class 1: 6 hit, 8 true, 6 predicted. Class 2 is predicted where it is not."""
BOTH = np.stack([HAND, SECOND])
VOID = np.zeros((3, 3), np.int64)
"""The matrix of an image that is all void."""


def test_iou_by_hand() -> None:
    np.testing.assert_allclose(metrics.per_class_iou(HAND), [3 / 6, 4 / 7, np.nan])


def test_dice_by_hand() -> None:
    np.testing.assert_allclose(metrics.per_class_dice(HAND), [6 / 9, 8 / 11, np.nan])


ONE_IMAGE = {
    Metric.MIOU: (3 / 6 + 4 / 7) / 2,
    Metric.MIOU_IMAGE: (3 / 6 + 4 / 7) / 2,
    Metric.DICE: (6 / 9 + 8 / 11) / 2,
    Metric.DICE_IMAGE: (6 / 9 + 8 / 11) / 2,
    Metric.FWIOU: 0.4 * 3 / 6 + 0.6 * 4 / 7,
    Metric.PIXEL_ACCURACY: 7 / 10,
    Metric.TGS_MAP: 2 / 10,
}
"""Of HAND alone. IoU of class 1 is 0.571: above 0.5 and 0.55."""

TWO_IMAGES = {
    Metric.MIOU: (3 / 6 + 10 / 15 + 0) / 3,
    Metric.MIOU_IMAGE: ((3 / 6 + 4 / 7) / 2 + (6 / 8 + 0) / 2) / 2,
    Metric.DICE: (6 / 9 + 20 / 25 + 0) / 3,
    Metric.DICE_IMAGE: ((6 / 9 + 8 / 11) / 2 + (12 / 14 + 0) / 2) / 2,
    Metric.FWIOU: (4 * 3 / 6 + 14 * 10 / 15) / 18,
    Metric.PIXEL_ACCURACY: 13 / 18,
    Metric.TGS_MAP: (2 / 10 + 5 / 10) / 2,
}
"""Of HAND and SECOND. IoU of class 1 in SECOND is 0.75: above 0.5 to 0.7, and not above 0.75."""


def test_every_metric_is_held_to_a_value() -> None:
    assert set(ONE_IMAGE) == set(TWO_IMAGES) == set(Metric)


@pytest.mark.parametrize("metric", Metric)
def test_one_image_by_hand(metric: Metric) -> None:
    assert metrics.score(metric, HAND) == pytest.approx(ONE_IMAGE[metric])
    assert float(metrics.score_each(metric, HAND)) == pytest.approx(ONE_IMAGE[metric])


@pytest.mark.parametrize("metric", Metric)
def test_two_images_by_hand(metric: Metric) -> None:
    assert metrics.score(metric, BOTH) == pytest.approx(TWO_IMAGES[metric])


@pytest.mark.parametrize("metric", Metric)
def test_an_image_of_void_counts_nowhere(metric: Metric) -> None:
    assert metrics.score(metric, np.stack([HAND, VOID, SECOND])) == pytest.approx(TWO_IMAGES[metric])
    assert math.isnan(metrics.score(metric, VOID))


@pytest.mark.parametrize("metric", Metric)
def test_nothing_to_score_is_no_score(metric: Metric) -> None:
    assert math.isnan(metrics.score(metric, np.zeros((0, 3, 3), np.int64)))


@pytest.mark.parametrize("metric", Metric)
def test_a_perfect_prediction_scores_one(metric: Metric) -> None:
    perfect = np.stack([np.diag([5, 3, 0]), np.diag([2, 0, 9])])
    assert metrics.score(metric, perfect) == 1


@pytest.mark.parametrize("metric", [m for m in Metric if m.is_image_wise])
def test_metrics_per_image_are_the_mean_over_the_images(metric: Metric) -> None:
    each = metrics.score_each(metric, BOTH)
    assert each.shape == (2,)
    assert metrics.score(metric, BOTH) == pytest.approx(each.mean())


def test_a_class_that_is_only_predicted_scores_zero() -> None:
    matrix = np.array([[2, 0, 1], [0, 3, 0], [0, 0, 0]], np.int64)
    assert metrics.per_class_iou(matrix).tolist() == [2 / 3, 1.0, 0.0]


def test_a_class_that_is_missed_entirely_scores_zero() -> None:
    matrix = np.array([[2, 0], [5, 0]], np.int64)
    assert metrics.per_class_iou(matrix).tolist() == [2 / 7, 0.0]


@pytest.mark.parametrize(
    ("matrix", "score"),
    [
        ([[9, 0], [0, 0]], 1.0),
        ([[8, 1], [0, 0]], 0.0),
        ([[8, 0], [1, 0]], 0.0),
        ([[0, 0], [0, 9]], 1.0),
        ([[0, 5], [0, 5]], 0.0),
        ([[0, 9], [0, 11]], 0.1),
        ([[0, 3], [0, 7]], 0.4),
    ],
    ids=["rightly empty", "wrongly found", "missed", "full", "IoU of 0.5 sharp", "just above 0.5", "IoU of 0.7 sharp"],
)
def test_tgs_map_by_hand(matrix: list[list[int]], score: float) -> None:
    assert metrics.score(Metric.TGS_MAP, np.array(matrix)) == pytest.approx(score)


def drawn(seed: int, *, void: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A truth and a prediction, uint8 (20, 25), in which all six classes occur."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 6, (20, 25)).astype(np.uint8)
    prediction = np.where(generator.random((20, 25)) < 0.6, truth, generator.integers(0, 6, (20, 25))).astype(np.uint8)
    truth[generator.random((20, 25)) < void] = IGNORE_INDEX
    return truth, prediction


@pytest.mark.parametrize("void", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_scikit_learn_where_every_class_occurs(seed: int, void: float) -> None:
    from sklearn.metrics import accuracy_score, f1_score, jaccard_score

    truth, prediction = drawn(seed, void=void)
    matrix = confusion.count(prediction, truth, 6)
    kept = truth != IGNORE_INDEX
    truth, prediction = truth[kept], prediction[kept]
    np.testing.assert_allclose(metrics.per_class_iou(matrix), jaccard_score(truth, prediction, average=None))
    np.testing.assert_allclose(metrics.per_class_dice(matrix), f1_score(truth, prediction, average=None))
    for metric, theirs in {
        Metric.MIOU: jaccard_score(truth, prediction, average="macro"),
        Metric.DICE: f1_score(truth, prediction, average="macro"),
        Metric.FWIOU: jaccard_score(truth, prediction, average="weighted"),
        Metric.PIXEL_ACCURACY: accuracy_score(truth, prediction),
    }.items():
        assert metrics.score(metric, matrix) == pytest.approx(theirs), metric


@pytest.mark.parametrize(("metric", "named"), [(Metric.MIOU_IMAGE, "jaccard_score"), (Metric.DICE_IMAGE, "f1_score")])
def test_metrics_per_image_agree_with_scikit_learn(metric: Metric, named: str) -> None:
    import sklearn.metrics

    theirs: Callable[..., float] = getattr(sklearn.metrics, named)
    images = [drawn(seed) for seed in range(4)]
    matrices = np.stack([confusion.count(prediction, truth, 6) for truth, prediction in images])
    expected = np.mean([theirs(truth.ravel(), prediction.ravel(), average="macro") for truth, prediction in images])
    assert metrics.score(metric, matrices) == pytest.approx(expected)


@pytest.mark.parametrize("metric", Metric)
def test_estimated_counts_are_scored_alike(metric: Metric) -> None:
    assert metrics.score(metric, BOTH * 0.5) == pytest.approx(TWO_IMAGES[metric])


@pytest.mark.parametrize("metric", Metric)
def test_the_stand_in_needs_only_sums(metric: Metric) -> None:
    assert not Metric(metrics.stand_in(metric)).is_image_wise
    assert metrics.stand_in(metric) == metric or metric.is_image_wise
    assert metrics.stand_in("mine:gain") == "mine:gain"


@pytest.mark.parametrize("metric", Metric)
def test_every_metric_passes_the_check(metric: Metric) -> None:
    metrics.check(metric, classes=3)
