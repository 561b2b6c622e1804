"""What confusion matrices amount to.

Every function takes matrices of shape (..., C, C), rows the truth and columns the prediction, and answers for each
matrix by itself. `score` answers for all images together: it adds the matrices up first, or takes the mean of what
each image scores, as the metric is defined.

Void pixels stand in no matrix, so no metric knows of them. A class that occurs in neither the truth nor the prediction
has no score (NaN) and counts in no mean. Libraries that count it as 1 lift a small validation set for what it does not
contain. A class that is absent from the truth alone scores 0: it was predicted where it is not. An image that is all
void has no score, and counts in no mean either.
"""

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from competition.config.owncode import importable_from, load
from competition.config.settings import Metric, OwnMetric
from competition.errors import CompError, ConfigError

Matrices = NDArray[np.int64] | NDArray[np.float64]
"""Counts of pixels, or estimates of them."""
Scores = NDArray[np.float64]

TWENTIETHS = range(10, 20)
"""The salt competition's thresholds, 0.5 to 0.95 in steps of 0.05; whole numbers keep the comparison exact."""


def per_class_iou(matrices: Matrices) -> Scores:
    """Intersection over union, TP / (TP + FP + FN): float64 (..., C) from 0 to 1, NaN where a class is absent."""
    return _iou(margins(matrices))


def per_class_dice(matrices: Matrices) -> Scores:
    """Dice or F1, 2 TP / (2 TP + FP + FN): float64 (..., C) from 0 to 1, NaN where a class is absent."""
    return _dice(margins(matrices))


def miou(matrices: Matrices) -> Scores:
    """The mean of `per_class_iou` over the classes that occur: float64 (...), NaN where none does."""
    return _miou(margins(matrices))


def dice(matrices: Matrices) -> Scores:
    """The mean of `per_class_dice` over the classes that occur: float64 (...), NaN where none does."""
    return _mean_dice(margins(matrices))


def fwiou(matrices: Matrices) -> Scores:
    """Frequency-weighted IoU: the sum of `per_class_iou`, each times the class's share of the true pixels.

    float64 (...), NaN where there is no pixel. A class that is absent from the truth weighs nothing.
    """
    return _fwiou(margins(matrices))


def pixel_accuracy(matrices: Matrices) -> Scores:
    """The share of the pixels whose class is right: float64 (...), NaN where there is no pixel."""
    return _pixel_accuracy(margins(matrices))


def tgs_precision(matrices: Matrices) -> Scores:
    """The share of the thresholds 0.5, 0.55, … 0.95 that the IoU of class 1 exceeds: float64 (...), NaN without pixels.

    The TGS salt competition's score of one image. Where class 1 is absent from truth and prediction the score is 1, and
    0 where it is absent from one of them: this is the one metric for which absence counts, because finding nothing
    where there is nothing is part of the task. With more than two classes it is class 1 against the rest.
    """
    return _tgs_precision(margins(matrices))


def score_each(metric: str, matrices: Matrices) -> Scores:
    """The metric of every matrix by itself, as if it were the only image: float64 (...)."""
    if metric in _METRICS:
        return score_margins(metric, margins(matrices))
    images = matrices.reshape(-1, 1, *matrices.shape[-2:])
    return np.array([score(metric, image) for image in images]).reshape(matrices.shape[:-2])


def score_margins(metric: str, sums: Matrices) -> Scores:
    """One of `Metric`, of `margins` (..., 3, C) that may have been added up before: float64 (...)."""
    return _METRICS[Metric(metric)](sums)


def class_iou_of_margins(sums: Matrices) -> Scores:
    """`per_class_iou`, of `margins` (..., 3, C) that may have been added up before: float64 (..., C)."""
    return _iou(sums)


def margins(matrices: Matrices) -> Matrices:
    """By class, the pixels hit, those of the truth and those predicted: (..., 3, C).

    It is all that any metric here needs of a matrix, and for a hundred classes a thirty-third of its size.
    """
    hits, truth, predicted = matrices.diagonal(axis1=-2, axis2=-1), matrices.sum(axis=-1), matrices.sum(axis=-2)
    return np.stack([hits, truth, predicted], axis=-2)


def score(metric: str, matrices: Matrices) -> float:
    """The metric over all images, as a fraction; NaN where there is nothing to score.

    Args:
        metric: one of `Metric`, or the team's own, `package.module:function`.
        matrices: (N, C, C), a matrix per image, or (C, C), which is scored as one image.

    Raises:
        ConfigError: the team's own metric cannot be imported, fails, or returns no number.
    """
    images = matrices.reshape(-1, *matrices.shape[-2:])
    if metric not in _METRICS:
        return _score_by_own_code(metric, images)
    if Metric(metric).is_image_wise:
        return float(_mean_of_present(score_each(metric, images)))
    return float(score_each(metric, images.sum(axis=0)))


def stand_in(metric: str) -> str:
    """The metric to search by where only sums over images are known.

    A search for ensemble weights estimates the pixels of all images together, so it cannot follow a metric that looks
    at every image; it follows the nearest one that it can, and the metric itself decides between the best it found.
    """
    return _STAND_INS.get(metric, metric)


def check(metric: str, *, classes: int) -> None:
    """Do nothing if the metric can be computed for so many classes.

    Raises:
        ConfigError: it cannot; says why.
    """
    perfect = np.eye(classes, dtype=np.int64)[None] * 100
    if np.isnan(score(metric, perfect)):
        raise ConfigError(f"metric {metric} has no value for a perfect prediction.")


def _score_by_own_code(metric: str, matrices: NDArray[Any]) -> float:
    """What the function `package.module:function` returns for matrices (N, C, C), which it gets as int64.

    Modules are looked for in the competition's folder first. Higher must be better.

    Raises:
        ConfigError: there is no such function, it raised an error, or it returned no number.
    """
    folder = metric.folder if isinstance(metric, OwnMetric) else None
    try:
        with importable_from(folder):
            returned = load(metric, folder, what="metric")(np.rint(matrices).astype(np.int64))
    except CompError:
        raise
    except Exception as error:  # it is the team's code: whatever it raises is shown as theirs
        raise ConfigError(f"metric {metric} failed: {type(error).__name__}: {error}") from error
    if not isinstance(returned, Real) or math.isinf(returned):
        raise ConfigError(
            f"metric {metric} returned {returned!r}, which is no finite number.",
            hint="It is called with int64 matrices (images, classes, classes), rows the truth, and returns a float.",
        )
    return float(returned)


def _iou(sums: Matrices) -> Scores:
    hits, truth, predicted = _parts(sums)
    return _ratio(hits, truth + predicted - hits)


def _dice(sums: Matrices) -> Scores:
    hits, truth, predicted = _parts(sums)
    return _ratio(2 * hits, truth + predicted)


def _miou(sums: Matrices) -> Scores:
    return _mean_of_present(_iou(sums))


def _mean_dice(sums: Matrices) -> Scores:
    return _mean_of_present(_dice(sums))


def _fwiou(sums: Matrices) -> Scores:
    _, truth, _ = _parts(sums)
    weighted = np.nan_to_num(_iou(sums)) * truth
    return _ratio(weighted.sum(axis=-1), truth.sum(axis=-1))


def _pixel_accuracy(sums: Matrices) -> Scores:
    hits, truth, _ = _parts(sums)
    return _ratio(hits.sum(axis=-1), truth.sum(axis=-1))


def _tgs_precision(sums: Matrices) -> Scores:
    hits, truth, predicted = (part[..., 1] for part in _parts(sums))
    union = truth + predicted - hits
    passed = np.mean([20 * hits > threshold * union for threshold in TWENTIETHS], axis=0)
    scores: Scores = np.where(union > 0, passed, 1.0)
    return np.where(sums[..., 1, :].sum(axis=-1) > 0, scores, np.nan)


def _parts(sums: Matrices) -> tuple[Matrices, Matrices, Matrices]:
    """Pixels hit, pixels of the truth, pixels predicted: (..., C) each."""
    return sums[..., 0, :], sums[..., 1, :], sums[..., 2, :]


def _ratio(part: Matrices, whole: Matrices) -> Scores:
    ratio: Scores = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return ratio


def _mean_of_present(scores: Scores) -> Scores:
    present = ~np.isnan(scores)
    total = np.where(present, scores, 0.0).sum(axis=-1)
    number = present.sum(axis=-1)
    mean: Scores = np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
    return mean


_METRICS: dict[str, Callable[[Matrices], Scores]] = {
    Metric.MIOU: _miou,
    Metric.MIOU_IMAGE: _miou,
    Metric.DICE: _mean_dice,
    Metric.DICE_IMAGE: _mean_dice,
    Metric.FWIOU: _fwiou,
    Metric.PIXEL_ACCURACY: _pixel_accuracy,
    Metric.TGS_MAP: _tgs_precision,
}

_STAND_INS: dict[str, str] = {
    Metric.MIOU_IMAGE: Metric.MIOU,
    Metric.DICE_IMAGE: Metric.DICE,
    Metric.TGS_MAP: Metric.MIOU,
}
