"""What rounding to bytes can have done to a blend.

Every stored probability is rounded by itself and off by at most 1/510 (in float32 arithmetic, by some 1e-7 more); the
bytes of a pixel then need not add up to 255, which no decision depends on. A convex blend of them is off by at most
1/510 in each class, so the difference of two classes by at most 1/255: where the best class leads by more than that, it
is the best of the unrounded blend too. A lead of exactly 1/255 can be a tie of the unrounded blend, and counts as
doubtful. With whole-number weights that add up to n, leads are multiples of 1/(255 n), so for n below 30 000 the
next one above 1/255 also covers what float32 adds.

Votes, ranks and geometric means are no convex combinations: the smallest error can turn a rank, so they have no
certificate.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.config.settings import Metric
from competition.data.parallel import Progress, in_threads
from competition.ensemble.blend import Count, Weighting, best_class, blocks, total_of
from competition.ensemble.inputs import OpenExperiments
from competition.ensemble.methods import Planes
from competition.ensemble.score_experiments import Truth
from competition.predictions.probabilities import Bytes, two_best
from competition.scoring.confusion import Matrices

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class UndecidedPixels:
    """Labelled pixels that the unrounded blend may decide otherwise, all int64 (C,).

    Args:
        losable: by true class, those that are right now.
        gainable: by true class, those that are wrong now and whose true class is within reach.
        leaving: by predicted class, those that are wrong now.
        arriving: by class within reach, those that are neither of it nor named so.
        pixels: how many labelled pixels there are in all.
        doubtful: how many of them are in doubt.
    """

    losable: Counts
    gainable: Counts
    leaving: Counts
    arriving: Counts
    pixels: int
    undecided: int

    @property
    def share(self) -> float:
        """The share of the labelled pixels that are in doubt, from 0 to 1."""
        return self.undecided / self.pixels if self.pixels else 0.0

    def __add__(self, other: "UndecidedPixels") -> "UndecidedPixels":
        return UndecidedPixels(
            self.losable + other.losable,
            self.gainable + other.gainable,
            self.leaving + other.leaving,
            self.arriving + other.arriving,
            self.pixels + other.pixels,
            self.undecided + other.undecided,
        )


def undecided_in_image(views: Sequence[Bytes], weighting: Sequence[Count], truth: NDArray[np.uint8]) -> UndecidedPixels:
    """The doubt about the blend of one image.

    Args:
        views: uint8 (C, H, W) of each member.
        truth: uint8 (H, W); values that are no class are void.
    """
    classes, total = len(views[0]), total_of(weighting)
    labels, reachable = [], []
    for sums in blocks(views, weighting):
        labels.append(best_class(sums))
        reachable.append(possible_classes(sums, total))
    named, near = np.concatenate(labels), np.concatenate(reachable, axis=1)
    true = truth.reshape(-1)
    labelled = true < classes
    pixels = np.flatnonzero(labelled & (near.sum(axis=0) > 1))
    true, named, near = true[pixels].astype(np.intp), named[pixels].astype(np.intp), near[:, pixels]
    right, can_be_right = true == named, near[true, np.arange(len(pixels))]
    others = near & (np.arange(classes)[:, None] != true) & (np.arange(classes)[:, None] != named)
    return UndecidedPixels(
        losable=np.bincount(true[right], minlength=classes),
        gainable=np.bincount(true[~right & can_be_right], minlength=classes),
        leaving=np.bincount(named[~right], minlength=classes),
        arriving=others.sum(axis=1),
        pixels=int(labelled.sum()),
        undecided=len(pixels),
    )


def possible_classes(sums: Planes, total: int) -> NDArray[np.bool_]:
    """Which classes, bool (C, P), may be the best of the unrounded blend; the best of the sums is among them."""
    best = sums.max(axis=0)
    near: NDArray[np.bool_] = sums >= best - np.minimum(best, total)
    return near


def number_undecided(sums: Planes, total: int) -> int:
    """The number of pixels that have more than one possible class."""
    best, second = two_best(sums)
    return int(np.count_nonzero(second >= best - np.minimum(best, best.dtype.type(total))))


def count_undecided(
    experiments: OpenExperiments, weighting: Weighting, *, truth: Truth, progress: Progress | None = None
) -> UndecidedPixels:
    """The doubt about the blend of all out-of-fold images."""
    found = in_threads(
        lambda image_id: undecided_in_image(experiments.oof_views(image_id), weighting, truth(image_id)),
        experiments.ids,
        progress=progress,
    )
    return sum(found[1:], start=found[0])


def bounds(metric: str, matrices: Matrices, count_undecided: UndecidedPixels) -> tuple[float, float] | None:
    """The lowest and the highest score that the unrounded blend can have.

    Each class is taken to its worst and to its best by itself, so the interval is rather too wide, never too narrow.
    None for metrics that look at every image, and for the team's own.

    Args:
        matrices: int64 (N, C, C), of the rounded blend.
    """
    matrix = matrices.sum(axis=0)
    hits, true, named = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    worst, best = hits - count_undecided.losable, hits + count_undecided.gainable
    if metric == Metric.PIXEL_ACCURACY:
        return float(worst.sum() / true.sum()), float(best.sum() / true.sum())
    if metric not in (Metric.MIOU, Metric.DICE, Metric.FWIOU):
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        if metric == Metric.DICE:
            low = 2 * worst / (true + named - count_undecided.losable + count_undecided.arriving)
            high = 2 * best / (true + named + count_undecided.gainable - count_undecided.leaving)
        else:
            union = true + named - hits
            low, high = worst / (union + count_undecided.arriving), best / (union - count_undecided.leaving)
    present = true > 0
    if metric == Metric.FWIOU:
        share = true[present] / true.sum()
        return float((low[present] * share).sum()), float((high[present] * share).sum())
    # A class without truth scores 0 where it is named and counts in no mean where it is not.
    most = int(present.sum() + (~present & (named + count_undecided.arriving > 0)).sum())
    fewest = int(present.sum() + (~present & (named - count_undecided.leaving > 0)).sum())
    return float(low[present].sum() / most), float(high[present].sum() / fewest)
