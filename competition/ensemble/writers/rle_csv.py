"""Kaggle's run-length CSV, `ImageId,EncodedPixels`, where an empty string says that there is no such object.

With two classes there is a row per image, for class 1. With more there is a row per image and class but the
background (class 0), and a column `ClassId` in the middle.
"""

import csv
from collections.abc import Iterable
from pathlib import Path

from competition.ensemble.writers import rle
from competition.files import replacing
from competition.scoring.confusion import Labels


def write(predictions: Iterable[tuple[str, str, Labels]], target: Path, classes: int) -> int:
    """Write (id, file name, labels) to the file `target`; the number of images."""
    binary = classes == 2
    images = 0
    with replacing(target) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["ImageId", "EncodedPixels"] if binary else ["ImageId", "ClassId", "EncodedPixels"])
        for image_id, _, labels in predictions:
            for c in range(1, classes):
                runs = rle.encode(labels == c)
                rows.writerow([image_id, runs] if binary else [image_id, c, runs])
            images += 1
    return images
