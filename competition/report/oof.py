"""Out-of-fold probabilities of an experiment by image, whichever fold they come from."""

from collections.abc import Callable, Mapping

import numpy as np

from competition.data.images import Pixels
from competition.data.parallel import Progress, in_threads
from competition.paths import Paths
from competition.predictions.shards import Shard
from competition.scoring import calibration
from competition.scoring.calibration import Calibration

Shards = Mapping[str, Shard]
"""By image id, the shard that holds it."""


def oof_shards(paths: Paths, name: str, folds: int) -> Shards:
    """The shards of the experiment's own seed (repeat 0).

    Raises:
        DataError: one is missing or damaged.
    """
    opened = [Shard.open(paths.job(name, fold).oof) for fold in range(folds)]
    return {image_id: shard for shard in opened for image_id in shard.ids}


def labels_from(shards: Shards, image_id: str) -> Pixels:
    """What the experiment says of an image: uint8 (H, W), the class with the largest probability."""
    named: Pixels = shards[image_id][image_id].argmax(axis=0).astype(np.uint8)
    return named


def calibrate(
    sides: tuple[Shards, Shards], truth: Callable[[str], Pixels], *, progress: Progress | None = None
) -> tuple[Calibration, Calibration]:
    """How well two experiments know how sure they are, over all images of both; one image is held at a time.

    Args:
        truth: the labels of the image with an id, uint8 (H, W).

    Raises:
        DataError: probabilities or labels are damaged.
    """

    def one(image_id: str) -> tuple[Calibration, Calibration]:
        labels = truth(image_id)
        first, second = (calibration.count(shards[image_id][image_id], labels) for shards in sides)
        return first, second

    found = in_threads(one, sorted(sides[0].keys() & sides[1].keys()), progress=progress)
    return calibration.total(a for a, _ in found), calibration.total(b for _, b in found)
