"""Stored probabilities by image id: one experiment's out-of-fold and test predictions as arrays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from competition.errors import with_retry_hint
from competition.paths import Paths
from competition.predictions.probabilities import LEVELS, Probabilities
from competition.predictions.shards import Shard


class Averaged(Mapping[str, Probabilities]):
    """Probabilities by image id, float32 (C, H, W) from 0 to 1; an image is read from disk when it is asked for.

    Args:
        shards: for each image, the shards that hold it; their mean is the prediction.
    """

    def __init__(self, shards: Mapping[str, Sequence[Shard]]) -> None:
        self._shards = shards

    def __getitem__(self, image_id: str) -> Probabilities:
        shards = self._shards[image_id]
        total = np.zeros(shards[0][image_id].shape, np.float32)
        for shard in shards:
            total += shard[image_id]
        return np.divide(total, np.float32(LEVELS * len(shards)), out=total)

    def __iter__(self) -> Iterator[str]:
        return iter(self._shards)

    def __len__(self) -> int:
        return len(self._shards)


@dataclass(frozen=True)
class Predictions:
    """The predictions of one experiment with one seed.

    Each probability is off by at most 1/510, as it is stored in 8 bits.

    Args:
        classes: the names of the classes, in the order of the first axis.
        oof: each training image, predicted by the fold model that never saw it.
        test: each test image, the mean over the fold models; empty where the competition has no test images.
    """

    classes: tuple[str, ...]
    oof: Averaged
    test: Averaged


def open_predictions(paths: Paths, name: str, *, folds: int, seed: int, has_test: bool) -> Predictions:
    """The stored predictions of the experiment `name`.

    Raises:
        DataError: those of a fold are missing or damaged; the hint says which command writes them again.
    """
    oof: dict[str, list[Shard]] = {}
    test: dict[str, list[Shard]] = {}
    classes: tuple[str, ...] = ()
    for fold in range(folds):
        job = paths.job(name, fold, seed)
        with with_retry_hint(name, fold):
            opened = [(oof, Shard.open(job.oof)), *([(test, Shard.open(job.test))] if has_test else [])]
        for images, shard in opened:
            classes = shard.classes
            for image_id in shard.ids:
                images.setdefault(image_id, []).append(shard)
    return Predictions(classes, Averaged(oof), Averaged(test))
