"""The label-map CSV of the 11-class litter competition: `image_id,PredictionString`.

`image_id` is the image's file name, and `PredictionString` the class indices of its label map at 256x256, row after
row, separated by spaces.
"""

import csv
from collections.abc import Iterable
from pathlib import Path

from competition.data.images import resize_labels
from competition.files import replacing
from competition.scoring.confusion import Labels

SIZE = (256, 256)


def write(predictions: Iterable[tuple[str, str, Labels]], target: Path, classes: int) -> int:
    """Write (id, file name, labels) to the file `target`; the number of images."""
    words = [str(c) for c in range(classes)]
    images = 0
    with replacing(target) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["image_id", "PredictionString"])
        for _, name, labels in predictions:
            rows.writerow([name, " ".join([words[c] for c in resize_labels(labels, SIZE).ravel().tolist()])])
            images += 1
    return images
