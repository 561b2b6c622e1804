"""Detection of the data's format, so that `comp init` needs few options; a note says what was detected."""

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
from competition.data.readers.rle_csv import OBJECT_CLASSES, classes_of, detect_columns, read_rle_csv
from competition.errors import DataError

_SAMPLE = 32
"""Masks to read to see if all hold 0 and 255: enough even if most are empty."""


@dataclass(frozen=True)
class Detected:
    """The keys of `data` in competition.yaml, the classes, and a note for each thing that no option said."""

    data: dict[str, Any]
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()


def detect(data: Mapping[str, Any], root: Path, *, classes: Sequence[str] | None, void: int | None) -> Detected:
    """Complete the keys of `data` by looking at the files; relative paths start at `root`.

    Args:
        data: the keys that the options of `comp init` set.

    Raises:
        DataError: a file cannot be read, or the files do not say enough.
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
    names = tuple(classes or file.classes)
    note = f"{data['coco']}: {len(file.images)} images, {len(names) - 1} categories of objects."
    return Detected(data, names, (note,))


def _rle(data: dict[str, Any], root: Path, classes: Sequence[str] | None) -> Detected:
    problems: list[str] = []
    images = files_by_id(root / data["images"], "images", problems)
    if problems and not images:
        raise DataError(problems[0])
    table = read_rle_csv(root / data["rle_csv"])
    columns = detect_columns(
        table,
        sorted(images, key=natural_key),
        image_column=data.get("image_column"),
        rle_column=data.get("rle_column"),
        class_column=data.get("class_column"),
    )
    data |= {"image_column": columns.image, "rle_column": columns.rle, "class_column": columns.class_label}
    classes_note = f"classes in {columns.class_label!r}" if columns.class_label else "one class of objects"
    note = f"{data['rle_csv']}: images in {columns.image!r}, run lengths in {columns.rle!r}, {classes_note}."
    return Detected(data, tuple(classes or classes_of(table, columns)), (note,))


def _with_groups(data: dict[str, Any], root: Path) -> dict[str, Any]:
    """Take the groups from the list of pairs if it has them and no option names others."""
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
            "--classes is missing: the masks hold class indices, and comp does not know the names of the classes.",
            hint="Write the names to a file, one a line (line 1 is value 0), and use --classes FILE.",
        )
    return Detected(data, tuple(classes))


def _holds_0_and_255(data: dict[str, Any], root: Path, void: int | None) -> bool:
    """True if the masks hold background and one class of object, at any bit depth.

    False if a mask cannot be read: the index reports it later, with all other problems.
    """
    settings = yamlfile.build({"name": "-", "classes": OBJECT_CLASSES, "data": data}, Settings, source="comp init")
    sources = reader_of(settings, root).find().sources
    step = max(1, len(sources) // _SAMPLE)
    values: set[int] = set()
    try:
        for source in sources[::step]:
            values |= set(np.unique(read_mask(source.label_files[0])).tolist())
    except DataError:
        return False
    return bool(values - {0, void}) and values - {0, void} <= {255, 65535}
