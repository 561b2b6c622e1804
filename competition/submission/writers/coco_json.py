"""COCO results: a JSON list with an entry per image and class that occurs, its pixels as COCO's compressed runs.

`{"image_id": 7, "category_id": 3, "segmentation": {"size": [height, width], "counts": "…"}, "score": 1.0}`. Image and
category ids are those of the competition's COCO files; without them, an image's id is comp's (a number where all are),
and a category's is the class index. The background (class 0) has no entries.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from competition.data.readers.coco_shapes import inside_of, read_shape, rle_of_shape
from competition.errors import DataError
from competition.files import replacing
from competition.scoring.confusion import Labels
from competition.submission.layout import Layout, Prediction


def write(predictions: Iterable[Prediction], target: Path, layout: Layout) -> int:
    """Write the entries to the file `target`, one a line; the number of images."""
    images = 0
    with replacing(target) as aside, aside.open("w", encoding="utf-8") as file:
        separator = "[\n"
        for image_id, name, labels in predictions:
            images += 1
            for entry in _entries(labels, image_key(image_id, name, layout), layout):
                file.write(separator + json.dumps(entry, ensure_ascii=False))
                separator = ",\n"
        file.write("[]\n" if separator == "[\n" else "\n]\n")
    return images


def read(target: Path, layout: Layout, sizes: Mapping[str, tuple[int, int]]) -> dict[str, Labels]:
    """The label map of each image of `sizes`, by its id; an image without entries is background.

    Raises:
        DataError: the file is no list of COCO results, or an entry has another size than its image.
    """
    found = {image_id: np.zeros(size, dtype=np.uint8) for image_id, size in sizes.items()}
    by_key = {image_key(i, layout.images[i], layout): i for i in sizes}
    label_of = {category_key(label, layout): label for label in range(1, len(layout.classes))}
    try:
        for entry in json.loads(target.read_text(encoding="utf-8")):
            image_id = by_key[entry["image_id"]]
            pixels = inside_of(rle_of_shape(read_shape(entry["segmentation"], sizes[image_id]), sizes[image_id]))
            found[image_id][pixels.reshape(sizes[image_id], order="F")] = label_of[entry["category_id"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{target} does not hold COCO results: {error}.") from error
    return found


def image_key(image_id: str, name: str, layout: Layout) -> int | str:
    """What the results call an image."""
    if layout.image_numbers:
        return layout.image_numbers[name]
    all_numbers = all(i.isdecimal() and str(int(i)) == i for i in layout.images)
    return int(image_id) if all_numbers and image_id.isdecimal() else image_id


def category_key(label: int, layout: Layout) -> int:
    """What the results call a class."""
    return layout.category_numbers.get(layout.classes[label], label)


def _entries(labels: Labels, key: int | str, layout: Layout) -> Iterator[dict[str, Any]]:
    from pycocotools import mask as coco

    for label in range(1, len(layout.classes)):
        pixels = labels == label
        if pixels.any():
            runs = coco.encode(np.asfortranarray(pixels, dtype=np.uint8))
            segmentation = {"size": list(labels.shape), "counts": runs["counts"].decode("ascii")}
            yield {
                "image_id": key,
                "category_id": category_key(label, layout),
                "segmentation": segmentation,
                "score": 1.0,
            }
