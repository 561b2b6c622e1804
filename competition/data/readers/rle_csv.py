"""A CSV of run lengths, as Kaggle's competitions hand out: an image and an object (or a class of it) per row."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from competition.data.naming import id_of, natural_key
from competition.data.readers.csvfile import CsvFile, read_csv
from competition.data.readers.listing import SUFFIXES, files_by_id
from competition.data.readers.source import Found, Labels, Source
from competition.data.rle import covered
from competition.errors import DataError, did_you_mean
from competition.files import sha256_of_json

RLE_NAMES = ("encodedpixels", "rle", "rlemask", "segmentation", "mask", "annotation", "runs")
CLASS_NAMES = ("class", "classid", "classname", "label", "labelid", "category", "categoryid")
Rows = list[tuple[int, dict[str, str]]]
"""Each with the number of its line."""

OBJECT_CLASSES = ("background", "object")
"""The classes where the file tells none."""


@dataclass(frozen=True)
class RleColumns:
    """What the columns of the file are called; `of_class` is None where it knows one class of object."""

    image: str
    rle: str
    of_class: str | None = None


@dataclass(frozen=True)
class RleReader:
    """A folder of images and the CSV with their runs.

    An empty cell of runs is no object; an image without any row is background alone. Where objects of two classes
    overlap, the later row lies on top.
    """

    path: Path
    images: Path
    classes: tuple[str, ...]
    columns: RleColumns

    def find(self) -> Found:
        """See `Reader`."""
        problems: list[str] = []
        images = files_by_id(self.images, "images", problems)
        problems += self._row_problems(images) if images else []
        without = sorted(images.keys() - self._rows.keys(), key=natural_key)
        notes = [
            f"{len(without)} images have no row in {self.path.name}, such as {i}: background alone." for i in without
        ]
        sources = (
            Source(i, images[i].name, images[i], mask=i, label_files=(self.path,))
            for i in sorted(images, key=natural_key)
        )
        return Found(tuple(sources), tuple(problems), tuple(notes[:1]))

    def read_labels(self, image_id: str, mask: str, *, size: tuple[int, int]) -> Labels:
        """See `Reader`."""
        rows = self._rows.get(mask, [])
        flat = np.zeros(size[0] * size[1], dtype=np.uint8)
        for line, row in rows:
            try:
                flat[covered(row[self.columns.rle], size)] = self._label(row)
            except ValueError as error:
                raise DataError(f"{self.path}, line {line}: {error}.") from error
        pixels = np.ascontiguousarray(flat.reshape(size[1], size[0]).T)
        return Labels(pixels, sha256_of_json([[self._label(row), row[self.columns.rle]] for _, row in rows]))

    @property
    def _rows(self) -> Mapping[str, Rows]:
        return _rows_by_image(self.path, *_state(self.path), self.columns.image)

    def _row_problems(self, images: dict[str, Path]) -> list[str]:
        problems = []
        for image_id, rows in self._rows.items():
            line = rows[0][0]
            if image_id.lower() in ("", "nan", "null", "none") and image_id not in images:
                problems.append(f"{self.path}, line {line}: the row names no image.")
            elif image_id not in images:
                near = did_you_mean(image_id, images)
                problems.append(f"{self.path}, line {line}: there is no image {image_id!r} in {self.images}.{near}")
            problems += [problem for line, row in rows if (problem := self._class_problem(line, row))]
            problems += self._repeated(image_id, rows)
        return problems

    def _repeated(self, image_id: str, rows: Rows) -> list[str]:
        """The same object twice is a mistake of whoever wrote the file; so is an empty row beside an object."""
        cells = Counter((row[self.columns.rle], self._class_cell(row)) for _, row in rows)
        problems = [f"{self.path}: two rows of image {image_id!r} are the same." for n in cells.values() if n > 1]
        if len(cells) > 1 and self.columns.of_class is None and any(not runs for runs, _ in cells):
            problems.append(f"{self.path}: image {image_id!r} has a row without an object and rows with one.")
        return problems

    def _class_cell(self, row: dict[str, str]) -> str | None:
        return None if self.columns.of_class is None else row[self.columns.of_class]

    def _class_problem(self, line: int, row: dict[str, str]) -> str:
        cell = self._class_cell(row)
        if cell is None or not row[self.columns.rle] or cell in self._labels:
            return ""
        return f"{self.path}, line {line}: {cell!r} is no class.{did_you_mean(cell, self.classes)}"

    def _label(self, row: dict[str, str]) -> int:
        cell = self._class_cell(row)
        return 1 if cell is None else self._labels.get(cell, 0)

    @cached_property
    def _labels(self) -> dict[str, int]:
        """A class is called by its name, or by its number where no class has that for a name."""
        return {str(i): i for i in range(1, len(self.classes))} | {name: i for i, name in enumerate(self.classes)}


def image_named(cell: str) -> str:
    """The id of the image that a cell names, with or without suffix and folders."""
    return id_of(cell if not cell or Path(cell).suffix.lower() in SUFFIXES else f"{cell}.png")


def detect_columns(
    table: CsvFile, image_ids: Sequence[str], *, image: str | None, rle: str | None, of_class: str | None
) -> RleColumns:
    """The columns that were named, and for the others those that look right.

    Raises:
        DataError: a column that was named does not exist, or none looks right.
    """
    for name in (image, rle, of_class):
        if name is not None:
            table.column(name)
    known = set(image_ids)
    named = {c: sum(image_named(row[c]) in known for _, row in table.rows) for c in table.columns if c != rle}
    image = image or max(named, key=lambda c: named[c])
    if not named.get(image):
        first = f" (such as {image_ids[0]!r})" if image_ids else ""
        raise DataError(
            f"No column of {table.path} names the images{first}. It has: {', '.join(table.columns)}.",
            hint="Name it: --image-column NAME.",
        )
    rle = rle or _called(table, RLE_NAMES, besides=image)
    if rle is None:
        raise DataError(
            f"No column of {table.path} is called {' or '.join(RLE_NAMES[:2])}. It has: {', '.join(table.columns)}.",
            hint="Name the column with the run lengths: --rle-column NAME.",
        )
    return RleColumns(image, rle, of_class or _called(table, CLASS_NAMES, besides=image))


def classes_of(table: CsvFile, columns: RleColumns) -> tuple[str, ...]:
    """Background and the classes that occur, in natural order; background and object where the file has one kind."""
    if columns.of_class is None:
        return OBJECT_CLASSES
    found = {row[columns.of_class] for _, row in table.rows} - {"", OBJECT_CLASSES[0]}
    return (OBJECT_CLASSES[0], *sorted(found, key=natural_key))


def parsed(path: Path) -> CsvFile:
    """The rows of the file, read once in a process for as long as it stays the same.

    Raises:
        DataError: it cannot be read.
    """
    return _parsed(path, *_state(path))


def _state(path: Path) -> tuple[int, int]:
    """What changes when somebody writes to the file."""
    try:
        state = path.stat()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    return state.st_size, state.st_mtime_ns


@lru_cache(maxsize=2)
def _parsed(path: Path, size: int, changed: int) -> CsvFile:
    return read_csv(path)


@lru_cache(maxsize=2)
def _rows_by_image(path: Path, size: int, changed: int, image_column: str) -> Mapping[str, Rows]:
    rows: dict[str, Rows] = defaultdict(list)
    for line, row in _parsed(path, size, changed).rows:
        rows[image_named(row[image_column])].append((line, row))
    return dict(rows)


def _called(table: CsvFile, names: Sequence[str], *, besides: str) -> str | None:
    """The column whose name, in lower case and without separators, is one of `names`."""
    plain = {c.lower().replace("_", "").replace("-", "").replace(" ", ""): c for c in table.columns if c != besides}
    return next((plain[name] for name in names if name in plain), None)
