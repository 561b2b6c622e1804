"""A sample of the pixels that weights decide: what the weight search works on."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from competition.data.parallel import Progress, in_threads
from competition.ensemble.blend import best_class
from competition.ensemble.inputs import OpenExperiments
from competition.ensemble.score_experiments import ExperimentScores, Truth, flat, is_contested
from competition.predictions.probabilities import Bytes
from competition.scoring.confusion import Matrices

SAMPLE_SIZE = 65536


@dataclass(frozen=True)
class PixelSample:
    """P contested pixels of N images, and everything settled as matrices that no weighting changes.

    Args:
        values: uint8 (M, C, P), the members' probabilities.
        truth: int64 (P,), class indices.
        weight: float64 (P,), how many pixels each of these stands for.
        image: int64 (P,), the row of the image it comes from.
        settled: int64 (N, C, C), the confusion matrices of the other pixels.
    """

    values: Bytes
    truth: NDArray[np.int64]
    weight: NDArray[np.float64]
    image: NDArray[np.int64]
    settled: Matrices

    def repeated(self, times: NDArray[np.int64] | NDArray[np.bool_]) -> "PixelSample":
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


def draw_sample(
    experiments: OpenExperiments,
    found: ExperimentScores,
    *,
    truth: Truth,
    seed: int,
    lead: int = 0,
    size: int = SAMPLE_SIZE,
    progress: Progress | None = None,
) -> PixelSample:
    """Draw about `size` contested pixels, stratified by true class and image.

    Every class gets the same number of draws (all its contested pixels where it has fewer), so that rare classes, which
    weigh as much in a mean over classes as common ones, are estimated as well. A class's draws are spread over
    the images in proportion to its pixels there, at least one where there are any. Each pixel then stands for
    N / n of its stratum, which makes every count an unbiased estimate (Horvitz and Thompson, 1952).

    Args:
        lead: as `found` was surveyed.
    """
    contested = found.contested
    wanted = _allot(contested, size)

    def one(row: int) -> PixelSample:
        image_id = experiments.ids[row]
        labels = truth(image_id).reshape(-1)
        views = flat(experiments.oof_views(image_id))
        differs = is_contested(views, [best_class(view) for view in views], lead=lead)
        generator = np.random.default_rng([seed, row])
        strata = (np.flatnonzero(differs & (labels == c)) for c in range(len(experiments.classes)))
        chosen = np.concatenate(
            [generator.choice(pixels, n, replace=False) for pixels, n in zip(strata, wanted[row], strict=True)]
        )
        classes = labels[chosen].astype(np.int64)
        return PixelSample(
            values=np.stack([view[:, chosen] for view in views]),
            truth=classes,
            weight=contested[row, classes] / wanted[row, classes],
            image=np.full(len(chosen), row),
            settled=found.settled[row : row + 1],
        )

    parts = in_threads(one, range(len(experiments.ids)), progress=progress)
    return PixelSample(
        values=np.concatenate([part.values for part in parts], axis=2),
        truth=np.concatenate([part.truth for part in parts]),
        weight=np.concatenate([part.weight for part in parts]),
        image=np.concatenate([part.image for part in parts]),
        settled=found.settled,
    )


def _allot(pixels: Matrices, size: int) -> Matrices:
    """How many of the (N, C) pixels of each image and class to draw."""
    by_class = pixels.sum(axis=0)
    present = max(int(np.count_nonzero(by_class)), 1)
    share = np.minimum(1.0, size / present / np.maximum(by_class, 1))
    wanted: Matrices = np.ceil(pixels * share).astype(np.int64)
    return wanted
