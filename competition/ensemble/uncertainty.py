"""How far a score could have come out otherwise, had other images been labelled."""

import numpy as np
from numpy.typing import NDArray

from competition.scoring import metrics
from competition.scoring.confusion import Matrices

DRAWS = 500


def standard_error(
    metric: str, matrices: Matrices, *, units: NDArray[np.int64], against: Matrices | None = None, seed: int = 0
) -> float:
    """The bootstrap standard error of a score, or of the difference of two on the same images.

    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 6. Units are drawn with replacement, so that
    images that belong together stay together; both scores see the same draws.

    Args:
        matrices: int64 (N, C, C), a confusion matrix per image.
        units: int64 (N,), the group of each image, numbered from 0.
        against: (N, C, C), what the difference is taken to.

    Returns:
        A fraction, as scores are; NaN for fewer than two units.
    """
    number = int(units.max()) + 1
    if number < 2:
        return float("nan")
    times = np.random.default_rng(seed).multinomial(number, np.full(number, 1 / number), size=DRAWS)
    scores = _scores(metric, matrices, units, times)
    if against is not None:
        scores = scores - _scores(metric, against, units, times)
    scores = scores[~np.isnan(scores)]
    return float(np.std(scores, ddof=1)) if len(scores) > 1 else float("nan")


def _scores(metric: str, matrices: Matrices, units: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.float64]:
    """The score of every draw; (D, U) says how often each holds a unit."""
    if metrics.adds_up(metric):
        sums = np.zeros((times.shape[1], *matrices.shape[1:]), dtype=np.int64)
        np.add.at(sums, units, matrices)
        drawn = np.tensordot(times.astype(np.float64), sums.astype(np.float64), axes=1)  # exact below 2**53 pixels
        return metrics.score_each(metric, drawn)
    rows = np.arange(len(matrices))
    return np.array([metrics.score(metric, matrices[np.repeat(rows, drawn[units])]) for drawn in times])
