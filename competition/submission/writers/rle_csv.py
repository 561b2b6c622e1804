"""Kaggle's run-length CSV, `ImageId,EncodedPixels`, where an empty string says that there is no such object.

With two classes there is a row per image, for class 1. With more there is a row per image and class but the
background (class 0), and a column `ClassId` in the middle. A sample submission decides otherwise: its columns, its
rows and their order are kept, and only the runs are ours.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from competition.data.readers.csvfile import read_csv
from competition.data.rle_codec import decode, encode
from competition.errors import DataError, RefusedError
from competition.files import replacing
from competition.scoring.confusion import Labels
from competition.submission.layout import Layout, Prediction

IMAGE, CLASS, RUNS = "ImageId", "ClassId", "EncodedPixels"


def write(predictions: Iterable[Prediction], target: Path, layout: Layout) -> int:
    """Write the runs to the file `target`; the number of images.

    Raises:
        RefusedError: the sample has no column for the class, and there are several.
        DataError: the sample does not fit the test images.
    """
    _check_columns(layout)
    images = 0

    def encoded() -> Iterator[tuple[str, int, str]]:
        nonlocal images
        for image_id, _, labels in predictions:
            images += 1
            for label in range(1, len(layout.classes)):
                yield image_id, label, encode(labels == label)

    with replacing(target) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        if layout.sample is not None:
            rows.writerow(layout.sample.columns)
            rows.writerows(_like_the_sample(encoded(), layout))
        elif layout.is_binary:
            rows.writerow([IMAGE, RUNS])
            rows.writerows((image_id, runs) for image_id, _, runs in encoded())
        else:
            rows.writerow([IMAGE, CLASS, RUNS])
            rows.writerows(encoded())
    return images


def read(target: Path, layout: Layout, sizes: Mapping[str, tuple[int, int]]) -> dict[str, Labels]:
    """The label map of each image that the file names, by the name it has there.

    Args:
        sizes: (height, width) of each image by that name; rows of others are passed over.

    Raises:
        DataError: the file is damaged, or its runs do not fit the images.
    """
    table, sample = read_csv(target), layout.sample
    image, runs = (sample.image_column, sample.value_column) if sample else (IMAGE, RUNS)
    found: dict[str, Labels] = {}
    for line, row in table.rows:
        name = row[table.column(image)]
        if name in sizes:
            labels = found.setdefault(name, np.zeros(sizes[name], dtype=np.uint8))
            try:
                labels[decode(row[table.column(runs)], sizes[name])] = _label(row, layout)
            except ValueError as error:
                raise DataError(f"{target}, line {line}: {error}.") from error
    return found


def _label(row: Mapping[str, str], layout: Layout) -> int:
    if layout.sample is not None:
        return layout.sample.label_of(row, layout.classes)
    return 1 if layout.is_binary else int(row[CLASS])


def _like_the_sample(encoded: Iterable[tuple[str, int, str]], layout: Layout) -> Iterator[list[str]]:
    """The sample's rows with our runs."""
    sample, ids = layout.sample, layout.ids
    assert sample is not None
    runs = {(image_id, label): text for image_id, label, text in encoded}
    for row in sample.rows:
        key = ids[row[sample.image_column]], sample.label_of(row, layout.classes)
        filled = {**row, sample.value_column: runs.get(key, "")}
        yield [filled[column] for column in sample.columns]


def _check_columns(layout: Layout) -> None:
    if layout.sample is not None and layout.sample.class_column is None and not layout.is_binary:
        objects = len(layout.classes) - 1
        raise RefusedError(
            f"{layout.sample.path} has no column for the class, and there are {objects} classes of objects.",
            hint="Is --format labels-csv what the competition wants?",
        )
