"""How far a score may be off because it was measured on these images and not on others.

The delete-a-group jackknife for groups of unequal size: F. Busing, E. Meijer and R. van der Leeden, "Delete-m jackknife
for unequal m", Statistics and Computing 9 (1999) 3-8. It leaves out one group of images after the other (a video, a
patient; an image that belongs to nothing is a group of its own), works on the competition's own metric even where that
is no mean over images, and draws no random numbers.
"""

import numpy as np
from numpy.typing import NDArray

from competition.config.settings import Metric
from competition.scoring import metrics
from competition.scoring.confusion import Matrices

Scores = NDArray[np.float64]


def left_out(metric: str, matrices: Matrices, blocks: NDArray[np.int64]) -> Scores:
    """The metric over all images but those of each block, float64 (B,), fractions.

    Args:
        matrices: int64 (N, C, C), a confusion matrix per image.
        blocks: int64 (N,), the block of each image: 0 to B - 1.
    """
    number = int(blocks.max()) + 1
    if metric not in list(Metric):
        return np.array([metrics.score(metric, matrices[blocks != block]) for block in range(number)])
    if Metric(metric).is_image_wise:
        scores = metrics.score_each(metric, matrices)
        known = ~np.isnan(scores)
        sums = np.bincount(blocks, np.where(known, scores, 0.0), number)
        counts = np.bincount(blocks, known, number)
        with np.errstate(invalid="ignore"):
            return np.asarray((sums.sum() - sums) / (counts.sum() - counts), dtype=np.float64)
    totals = np.zeros((number, *matrices.shape[1:]), dtype=np.int64)
    np.add.at(totals, blocks, matrices)
    return metrics.score_each(metric, totals.sum(axis=0) - totals)


def standard_error(estimate: float, without: Scores, sizes: NDArray[np.int64]) -> float:
    """The standard error of an estimate from its values without each block; NaN for fewer than two blocks.

    Of a difference where both arguments are differences over the same blocks.

    Args:
        estimate: from all images.
        without: float64 (B,), `left_out`.
        sizes: int64 (B,), the number of images in each block.
    """
    blocks = len(sizes)
    if blocks < 2:
        return float("nan")
    parts = sizes.sum() / sizes
    pseudo = parts * estimate - (parts - 1) * without
    centre = blocks * estimate - ((1 - 1 / parts) * without).sum()
    return float(np.sqrt(((pseudo - centre) ** 2 / (parts - 1)).mean()))
