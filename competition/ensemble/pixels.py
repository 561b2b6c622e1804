"""A sample of the pixels that weights decide: what the weight search works on.

Scores of weightings are compared, so what counts is how well their differences are estimated. Pixels that equal weights
all but tie on are drawn more often than those they are sure about, as these hardly ever change; and equal weights
themselves are counted exactly, so that an estimate is theirs plus the sampled difference (a difference estimator;
Särndal, Swensson and Wretman, Model Assisted Survey Sampling, 1992).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from competition.data.parallel import Progress, in_threads
from competition.data.probabilities import Bytes
from competition.ensemble.blend import Weighting, best_class, two_best, weighted_sum
from competition.ensemble.evaluate import Survey, Truth, flat, is_contested
from competition.ensemble.members import OpenMembers
from competition.scoring import confusion
from competition.scoring.confusion import Matrices

SAMPLE_SIZE = 65536
_SURE = 16
"""A lead of so many levels halves the chance that a tie has to be drawn."""


@dataclass(frozen=True)
class Sample:
    """P contested pixels of N images, and everything settled as matrices that no weighting changes.

    Args:
        values: uint8 (M, C, P), the members' probabilities.
        truth: int64 (P,), class indices.
        weight: float64 (P,), how many pixels each of these stands for.
        image: int64 (P,), the row of the image it comes from.
        settled: float64 (N, C, C), the confusion matrices of the other pixels: those of equal weights on all pixels,
            less what the sample says of them, so that equal weights get their exact score. A cell may lie below 0.
    """

    values: Bytes
    truth: NDArray[np.int64]
    weight: NDArray[np.float64]
    image: NDArray[np.int64]
    settled: Matrices

    def repeated(self, times: NDArray[np.int64] | NDArray[np.bool_]) -> "Sample":
        """As if each image (N,) were there so many times; one that is there 0 times leaves nothing."""
        kept = times[self.image] > 0
        return replace(
            self,
            values=np.ascontiguousarray(self.values[:, :, kept]),
            truth=self.truth[kept],
            weight=self.weight[kept] * times[self.image[kept]],
            image=self.image[kept],
            settled=self.settled * times[:, None, None],
        )


def draw(
    members: OpenMembers,
    found: Survey,
    *,
    truth: Truth,
    seed: int,
    by_class: bool = False,
    size: int = SAMPLE_SIZE,
    progress: Progress | None = None,
) -> Sample:
    """Draw about `size` contested pixels, stratified by true class and image.

    Every class gets the same number of draws (all its contested pixels where it has fewer), so that rare classes, which
    weigh as much in a mean over classes as common ones, are estimated as well. A class's draws are spread over
    the images in proportion to its pixels there, at least one where there are any. Within an image, the closer a pixel
    is to a tie under equal weights, the likelier it is drawn. Each stands for the inverse of its chance, which makes
    every count an unbiased estimate (Horvitz and Thompson, 1952).

    Args:
        by_class: as `found` was surveyed.
    """
    contested, classes = found.contested, len(members.classes)
    equal: Weighting = (1,) * len(members.names)
    wanted = _allot(contested, size)

    def one(row: int) -> Sample:
        image_id = members.ids[row]
        labels = truth(image_id).reshape(-1)
        views = flat(members.oof_views(image_id))
        differs = is_contested(views, [best_class(view) for view in views], by_class=by_class)
        generator = np.random.default_rng([seed, row])
        sums = weighted_sum(views, equal)
        best, second = two_best(sums)
        closeness = 1 / (_SURE + (best - second) / len(views))
        strata = (np.flatnonzero(differs & (labels == c)) for c in range(classes))
        drawn = [_pick(pixels, closeness[pixels], n, generator) for pixels, n in zip(strata, wanted[row], strict=True)]
        chosen = np.concatenate([pixels for pixels, _ in drawn])
        weight = np.concatenate([1 / chances for _, chances in drawn])
        true = labels[chosen].astype(np.int64)
        values = np.stack([view[:, chosen] for view in views])
        cells = true * classes + best_class(sums[:, chosen])
        sampled = np.bincount(cells, weights=weight, minlength=classes**2).reshape(classes, classes)
        exact = confusion.count(best_class(sums), labels, classes)
        return Sample(values, true, weight, image=np.full(len(chosen), row), settled=(exact - sampled)[None])

    parts = in_threads(one, range(len(members.ids)), progress=progress)
    return Sample(
        values=np.concatenate([part.values for part in parts], axis=2),
        truth=np.concatenate([part.truth for part in parts]),
        weight=np.concatenate([part.weight for part in parts]),
        image=np.concatenate([part.image for part in parts]),
        settled=np.concatenate([part.settled for part in parts]),
    )


def _pick(
    pixels: NDArray[np.int64], closeness: NDArray[np.float64], number: int, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """About `number` of the pixels, and the chance that each of them had, in proportion to its closeness.

    Drawn systematically: the chances are laid end to end, and each whole number, from a random start, falls on a pixel.
    """
    if number >= len(pixels):
        return pixels, np.ones(len(pixels))
    sure = np.zeros(len(pixels), dtype=bool)
    while True:
        chances = np.where(sure, 1.0, closeness * ((number - sure.sum()) / closeness[~sure].sum()))
        if not (over := ~sure & (chances >= 1)).any():
            break
        sure |= over
    passed = np.floor(np.cumsum(chances) + generator.random())
    chosen = np.diff(passed, prepend=0.0) > 0
    return pixels[chosen], chances[chosen]


def _allot(pixels: Matrices, size: int) -> Matrices:
    """How many of the (N, C) pixels of each image and class to draw."""
    by_class = pixels.sum(axis=0)
    present = max(int(np.count_nonzero(by_class)), 1)
    share = np.minimum(1.0, size / present / np.maximum(by_class, 1))
    wanted: Matrices = np.ceil(pixels * share).astype(np.int64)
    return wanted
