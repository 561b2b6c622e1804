"""What confusion matrices amount to.

Every function takes matrices of shape (..., C, C), rows the truth and columns the prediction, and answers for each
matrix by itself. Add matrices up before you call to score many images as one: the mean of per-image scores is another
metric, and not the one that leaderboards of segmentation competitions mean.

A class that occurs in neither the truth nor the prediction has no score (NaN) and counts in no mean. Libraries that
count it as 1 lift a small validation set for what it does not contain. A class that is absent from the truth alone
scores 0: it was predicted where it is not.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from competition.settings import Metric

Matrices = NDArray[np.int64] | NDArray[np.float64]
"""Counts of pixels, or estimates of them."""
Scores = NDArray[np.float64]


def per_class_iou(matrices: Matrices) -> Scores:
    """Intersection over union, TP / (TP + FP + FN): float64 (..., C) from 0 to 1, NaN where a class is absent."""
    hits, truth, predicted = _margins(matrices)
    return _ratio(hits, truth + predicted - hits)


def per_class_dice(matrices: Matrices) -> Scores:
    """Dice or F1, 2 TP / (2 TP + FP + FN): float64 (..., C) from 0 to 1, NaN where a class is absent."""
    hits, truth, predicted = _margins(matrices)
    return _ratio(2 * hits, truth + predicted)


def miou(matrices: Matrices) -> Scores:
    """The mean of `per_class_iou` over the classes that occur: float64 (...), NaN where none does."""
    return _mean_of_present(per_class_iou(matrices))


def dice(matrices: Matrices) -> Scores:
    """The mean of `per_class_dice` over the classes that occur: float64 (...), NaN where none does."""
    return _mean_of_present(per_class_dice(matrices))


def score_each(metric: Metric, matrices: Matrices) -> Scores:
    """The competition's metric of every matrix by itself: float64 (...)."""
    return _METRICS[metric](matrices)


def score(metric: Metric, matrices: Matrices) -> float:
    """The competition's metric over all pixels of all images, as a fraction.

    Args:
        matrices: (N, C, C), which are added up first, or a sum (C, C).
    """
    total = matrices.reshape(-1, *matrices.shape[-2:]).sum(axis=0)
    return float(score_each(metric, total))


_METRICS: dict[Metric, Callable[[Matrices], Scores]] = {Metric.MIOU: miou, Metric.DICE: dice}


def _margins(matrices: Matrices) -> tuple[Matrices, Matrices, Matrices]:
    """By class: pixels hit, pixels of the truth, pixels predicted."""
    return np.diagonal(matrices, axis1=-2, axis2=-1), matrices.sum(axis=-1), matrices.sum(axis=-2)


def _ratio(part: Matrices, whole: Matrices) -> Scores:
    ratio: Scores = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return ratio


def _mean_of_present(scores: Scores) -> Scores:
    present = ~np.isnan(scores)
    total = np.where(present, scores, 0.0).sum(axis=-1)
    number = present.sum(axis=-1)
    mean: Scores = np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
    return mean
