"""How much a score depends on the seed alone: the deviation between repeats of one configuration.

Bouthillier et al. 2021, Accounting for Variance in Machine Learning Benchmarks, show that it is no smaller than many
reported gains.
"""

import math
from collections.abc import Sequence

import numpy as np

from competition.config.settings import Metric
from competition.scoring import metrics
from competition.scoring.bootstrap import Bootstrap, covariance
from competition.scoring.metrics import Matrices, Scores
from competition.scoring.verdicts import SeedBand


def seed_band(metric: str, repeats: Sequence[Sequence[Matrices]], bootstrap: Bootstrap) -> SeedBand:
    """The deviation from seed to seed of the score over all folds.

    The folds of a repeat are trained apart, so each says for itself what its seed does to the score: the score is
    computed with one repeat's fold in place and the mean of all repeats in the others. The variances of the folds add
    up to that of the score, and each brings its own degrees of freedom; for K folds of the same weight the sum is
    sigma_fold² / K. The degrees of freedom of a sum of variances are Satterthwaite's (1946, Biometrics Bulletin 2).

    Args:
        repeats: two or more; of each, the matrices (N_k, C, C) of each fold.
        bootstrap: draws over the images of all folds, in this order.
    """
    variances = _fold_variances(metric, repeats)
    total = float(variances.sum())
    df = len(repeats) - 1.0
    if total > 0:
        df *= total**2 / float((variances**2).sum())
    runs = [np.concatenate(list(folds)) for folds in repeats]
    together = covariance(bootstrap.scores(metric, runs), units=bootstrap.units)
    own = float(np.mean(np.diag(together)) - np.mean(together[~np.eye(len(runs), dtype=bool)]))
    return SeedBand(math.sqrt(total), math.sqrt(max(0.0, own)), df)


def _fold_variances(metric: str, repeats: Sequence[Sequence[Matrices]]) -> Scores:
    """The variance, from seed to seed, that each fold contributes to the score: float64 (K,)."""
    if metric not in list(Metric):  # a function of whole matrices: no mean of repeats can be put in its hands
        whole = [metrics.score(metric, np.concatenate(list(folds))) for folds in repeats]
        return np.array([np.var(whole, ddof=1)])
    parts = np.array([[_part(metric, fold) for fold in folds] for folds in repeats])
    means = parts.mean(axis=0)
    swapped = means.sum(axis=0) + parts - means
    scores = _score_of_sum(metric, swapped)
    return np.asarray(scores.var(axis=0, ddof=1))


def _part(metric: str, fold: Matrices) -> Scores:
    """What a fold adds to the sums that the metric is computed from."""
    if Metric(metric).is_image_wise:
        each = metrics.score_each(metric, fold)
        return np.array([np.nansum(each), np.sum(~np.isnan(each))])
    return np.asarray(fold.sum(axis=0), dtype=np.float64)


def _score_of_sum(metric: str, sums: Scores) -> Scores:
    if Metric(metric).is_image_wise:
        return np.asarray(sums[..., 0] / sums[..., 1])
    return metrics.score_each(metric, sums)
