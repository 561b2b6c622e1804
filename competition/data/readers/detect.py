"""What `comp init` need not be told: it looks at the data, and says what it took it for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from competition.config import yamlfile
from competition.config.settings import VOID, Settings
from competition.data.images import read_mask
from competition.data.naming import natural_key
from competition.data.readers.choose import reader_of
from competition.data.readers.coco import read_coco
from competition.data.readers.csvfile import read_csv
from competition.data.readers.listing import files_by_id
from competition.data.readers.pairs import GROUP_COLUMN
from competition.data.readers.rle_csv import OBJECT_CLASSES, classes_of, detect_columns, parsed
from competition.errors import DataError

_LOOKED_AT = 32
"""So many masks tell whether all hold 0 and 255: more than enough even where most are empty."""


@dataclass(frozen=True)
class Detected:
    """The keys of `data` in competition.yaml, the classes, and a line for each thing that nobody said."""

    data: dict[str, Any]
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()


def detect(data: Mapping[str, Any], root: Path, *, classes: Sequence[str] | None, void: int | None) -> Detected:
    """The form of the data, from the keys of `data` that were given; relative paths start at `root`.

    Raises:
        DataError: what was given cannot be read, or does not tell enough.
    """
    if data.get("coco"):
        return _coco(dict(data), root, classes)
    if data.get("rle_csv"):
        return _rle(dict(data), root, classes)
    return _mask_files(_with_groups(dict(data), root), root, classes, void)


def _coco(data: dict[str, Any], root: Path, classes: Sequence[str] | None) -> Detected:
    file = read_coco(root / data["coco"])
    if file.problems and not file.categories:
        raise DataError(file.problems[0])
    found = tuple(classes or file.classes)
    return Detected(
        data, found, (f"{data['coco']}: {len(file.images)} images, {len(found) - 1} categories of objects.",)
    )


def _rle(data: dict[str, Any], root: Path, classes: Sequence[str] | None) -> Detected:
    problems: list[str] = []
    images = files_by_id(root / data["images"], "images", problems)
    if problems and not images:
        raise DataError(problems[0])
    table = parsed(root / data["rle_csv"])
    columns = detect_columns(
        table,
        sorted(images, key=natural_key),
        image=data.get("image_column"),
        rle=data.get("rle_column"),
        of_class=data.get("class_column"),
    )
    data |= {"image_column": columns.image, "rle_column": columns.rle, "class_column": columns.of_class}
    of_class = f"classes in {columns.of_class!r}" if columns.of_class else "one class of objects"
    note = f"{data['rle_csv']}: images in {columns.image!r}, run lengths in {columns.rle!r}, {of_class}."
    return Detected(data, tuple(classes or classes_of(table, columns)), (note,))


def _with_groups(data: dict[str, Any], root: Path) -> dict[str, Any]:
    """Groups come from the list of pairs where it has them and nobody said otherwise."""
    if not data.get("pairs") or data.get("meta") or data.get("group_regex"):
        return data
    has_groups = GROUP_COLUMN in read_csv(root / data["pairs"]).columns
    return {**data, "meta": data["pairs"], "group_column": GROUP_COLUMN} if has_groups else data


def _mask_files(data: dict[str, Any], root: Path, classes: Sequence[str] | None, void: int | None) -> Detected:
    if data.get("colors"):
        named = dict.fromkeys(name for name in data["colors"].values() if name != VOID)
        return Detected(data, tuple(classes or named))
    if data.get("binary"):
        return Detected(data, tuple(classes or OBJECT_CLASSES))
    if (classes is None or len(classes) == 2) and _holds_0_and_255(data, root, void):
        note = f"The masks in {data['masks']} hold 0 and 255: {' and '.join(classes or OBJECT_CLASSES)}."
        return Detected({**data, "binary": True}, tuple(classes or OBJECT_CLASSES), (note,))
    if classes is None:
        raise DataError(
            "--classes is missing: the masks hold class indices, and nothing says what these are called.",
            hint="comp init --images DIR --masks DIR --classes FILE, a class name a line; line 1 is value 0.",
        )
    return Detected(data, tuple(classes))


def _holds_0_and_255(data: dict[str, Any], root: Path, void: int | None) -> bool:
    """Whether the masks are those of one class of object, at any bit depth. Where one cannot be told, indexing says."""
    settings = yamlfile.build({"name": "-", "classes": OBJECT_CLASSES, "data": data}, Settings, source="comp init")
    sources = reader_of(settings, root).find().labelled
    step = max(1, len(sources) // _LOOKED_AT)
    values: set[int] = set()
    try:
        for source in sources[::step]:
            values |= set(np.unique(read_mask(source.label_files[0])).tolist())
    except DataError:
        return False
    return bool(values - {0, void}) and values - {0, void} <= {255, 65535}
