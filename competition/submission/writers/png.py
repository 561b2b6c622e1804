"""A folder with a PNG per image, named by the image's id: 8-bit grey, the value is the class index."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from competition.data.images import read_mask
from competition.ensemble.predict import write_label_maps
from competition.scoring.confusion import Labels
from competition.submission.layout import Layout, Prediction


def write(predictions: Iterable[Prediction], target: Path, layout: Layout) -> int:
    """Write the label maps to the folder `target`, which is replaced as a whole; the number of images."""
    return write_label_maps(((image_id, labels) for image_id, _, labels in predictions), target)


def read(target: Path, layout: Layout, sizes: Mapping[str, tuple[int, int]]) -> dict[str, Labels]:
    """The label map of each image id that the folder holds."""
    return {i: read_mask(target / f"{i}.png").astype(np.uint8) for i in sizes if (target / f"{i}.png").is_file()}
