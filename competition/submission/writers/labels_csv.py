"""The label-map CSV of the 11-class litter competition: `image_id,PredictionString`.

`image_id` is the image's file name, and `PredictionString` the class indices of its label map, resized to 256x256 (or
another size), row after row, separated by spaces. A sample submission's columns, names and order are kept.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from competition.data.images import resize_labels
from competition.data.readers.csvfile import read_csv
from competition.errors import DataError, RefusedError
from competition.files import replacing
from competition.scoring.confusion import Labels
from competition.submission.layout import Layout, Prediction, in_order

IMAGE, LABELS = "image_id", "PredictionString"


def write(predictions: Iterable[Prediction], target: Path, layout: Layout) -> int:
    """Write the label maps to the file `target`; the number of images.

    Raises:
        RefusedError: the sample has a column for the class, so it wants something else.
        DataError: the sample does not fit the test images.
    """
    _check_columns(layout)
    words = np.array([str(label) for label in range(len(layout.classes))], dtype=object)
    images = 0
    with replacing(target) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(layout.sample.columns if layout.sample else [IMAGE, LABELS])
        texts = ((i, (name, " ".join(words[held(labels, layout).ravel()]))) for i, name, labels in predictions)
        for row in _like_the_sample(texts, layout) if layout.sample else (list(pair) for _, pair in texts):
            rows.writerow(row)
            images += 1
    return images


def held(labels: Labels, layout: Layout) -> Labels:
    """What the format keeps of a label map: its nearest pixels at the wanted size."""
    return resize_labels(labels, layout.size)


def read(target: Path, layout: Layout, sizes: Mapping[str, tuple[int, int]]) -> dict[str, Labels]:
    """The label map (at the wanted size) of each image that the file names, by the name it has there.

    Args:
        sizes: rows of images whose name is not among these are passed over.

    Raises:
        DataError: the file is damaged; names the line.
    """
    table, sample = read_csv(target), layout.sample
    image, value = (sample.image_column, sample.value_column) if sample else (IMAGE, LABELS)
    found: dict[str, Labels] = {}
    for line, row in table.rows:
        name, cells = row[table.column(image)], row[table.column(value)].split(" ")
        if name not in sizes:
            continue
        if len(cells) != layout.size[0] * layout.size[1] or not all(cell.isdecimal() for cell in cells):
            raise DataError(f"{target}, line {line}: it is no label map of {layout.size[0]}x{layout.size[1]} numbers.")
        found[name] = np.array(cells, dtype=np.int64).clip(max=255).astype(np.uint8).reshape(layout.size)
    return found


def _like_the_sample(texts: Iterable[tuple[str, tuple[str, str]]], layout: Layout) -> Iterator[list[str]]:
    """The sample's rows with our label maps."""
    sample = layout.sample
    assert sample is not None
    by_turn = in_order(texts, layout.ids.values())
    for row, (_, (_, text)) in zip(sample.rows, by_turn, strict=True):
        filled = {**row, sample.value_column: text}
        yield [filled[column] for column in sample.columns]


def _check_columns(layout: Layout) -> None:
    if layout.sample is not None and layout.sample.class_column is not None:
        raise RefusedError(
            f"{layout.sample.path} has a row per class (its column {layout.sample.class_column!r}), and labels-csv "
            "writes a row per image.",
            hint="Is --format rle-csv what the competition wants?",
        )
