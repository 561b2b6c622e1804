"""A sample of the pixels on which members disagree: what the weight search works on."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from competition.data.parallel import Progress, in_threads
from competition.data.probabilities import Bytes
from competition.ensemble.evaluate import Survey, Truth, decisions, disagreement
from competition.ensemble.members import OpenMembers
from competition.scoring.confusion import Matrices

SAMPLE_SIZE = 65536


@dataclass(frozen=True)
class Sample:
    """P contested pixels of N images, and everything else as matrices that no weighting changes.

    Args:
        values: uint8 (M, C, P), the members' probabilities.
        truth: int64 (P,), class indices.
        weight: float64 (P,), how many pixels each of these stands for.
        image: int64 (P,), the row of the image it comes from.
        settled: int64 (N, C, C), the confusion matrices of the pixels on which the members agree.
    """

    values: Bytes
    truth: NDArray[np.int64]
    weight: NDArray[np.float64]
    image: NDArray[np.int64]
    settled: Matrices

    def restricted(self, images: NDArray[np.bool_]) -> "Sample":
        """The part that comes from the images that are True in (N,); the others lose all their pixels."""
        kept = images[self.image]
        return replace(
            self,
            values=np.ascontiguousarray(self.values[:, :, kept]),
            truth=self.truth[kept],
            weight=self.weight[kept],
            image=self.image[kept],
            settled=self.settled * images[:, None, None],
        )


def draw(
    members: OpenMembers,
    found: Survey,
    *,
    truth: Truth,
    seed: int,
    size: int = SAMPLE_SIZE,
    progress: Progress | None = None,
) -> Sample:
    """Draw about `size` contested pixels, stratified by true class and image.

    Every class gets the same number of draws (all its contested pixels where it has fewer), so that rare classes, which
    weigh as much in a mean over classes as common ones, are estimated as well. A class's draws are spread over
    the images in proportion to its pixels there, at least one where there are any. Each pixel then stands for
    N / n of its stratum, which makes every count an unbiased estimate.
    """
    contested = found.contested
    wanted = _allot(contested, size)

    def one(row: int) -> Sample:
        image_id = members.ids[row]
        labels = truth(image_id).reshape(-1)
        views = [view.reshape(len(view), -1) for view in members.oof_views(image_id)]
        differs = disagreement(decisions(views))
        generator = np.random.default_rng([seed, row])
        strata = (np.flatnonzero(differs & (labels == c)) for c in range(len(members.classes)))
        chosen = np.concatenate(
            [generator.choice(pixels, n, replace=False) for pixels, n in zip(strata, wanted[row], strict=True)]
        )
        classes = labels[chosen].astype(np.int64)
        return Sample(
            values=np.stack([view[:, chosen] for view in views]),
            truth=classes,
            weight=contested[row, classes] / wanted[row, classes],
            image=np.full(len(chosen), row),
            settled=found.settled[row : row + 1],
        )

    parts = in_threads(one, range(len(members.ids)), progress=progress)
    return Sample(
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
