"""Reader of Kaggle's CSV files with RLE (run lengths): in each row an image, and an object or a class of it."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from competition.data.naming import id_of, natural_key
from competition.data.readers.csvfile import CsvFile, read_csv
from competition.data.readers.listing import SUFFIXES, files_by_id
from competition.data.readers.source import Labels, Listing, Source
from competition.data.rle_codec import pixels_of_rle
from competition.errors import DataError, did_you_mean
from competition.files import sha256_of_json

RLE_NAMES = ("encodedpixels", "rle", "rlemask", "segmentation", "mask", "annotation", "runs")
CLASS_NAMES = ("class", "classid", "classname", "label", "labelid", "category", "categoryid")
Rows = list[tuple[int, dict[str, str]]]
"""Rows with their line numbers."""

OBJECT_CLASSES = ("background", "object")
"""The classes of a file without a class column."""


@dataclass(frozen=True)
class RleColumns:
    """The names of the columns; `class_label` is None if the file has one class of object."""

    image: str
    rle: str
    class_label: str | None = None


@dataclass(frozen=True)
class RleReader:
    """A folder of images, and the CSV file with the RLE of their objects.

    An empty RLE means no object; an image without a row is all background. Where objects of two classes overlap, the
    later row lies on top.
    """

    path: Path
    images: Path
    classes: tuple[str, ...]
    columns: RleColumns

    def find(self) -> Listing:
        """See `Reader`."""
        problems: list[str] = []
        images = files_by_id(self.images, "images", problems)
        problems += self._row_problems(images) if images else []
        without = sorted(images.keys() - self._rows.keys(), key=natural_key)
        notes = [
            f"Images without a row in {self.path.name}: {len(without)}, such as {i}. All their pixels are background."
            for i in without
        ]
        sources = (
            Source(i, images[i].name, images[i], mask=i, label_files=(self.path,))
            for i in sorted(images, key=natural_key)
        )
        return Listing(tuple(sources), tuple(problems), tuple(notes[:1]))

    def read_labels(self, image_id: str, mask: str, *, size: tuple[int, int]) -> Labels:
        """See `Reader`."""
        rows = self._rows.get(mask, [])
        flat = np.zeros(size[0] * size[1], dtype=np.uint8)
        for line, row in rows:
            try:
                flat[pixels_of_rle(row[self.columns.rle], size)] = self._label(row)
            except ValueError as error:
                raise DataError(f"{self.path}, line {line}: {error}.") from error
        # Kaggle counts down the columns, so the flat array is the transpose of the image.
        pixels = np.ascontiguousarray(flat.reshape(size[1], size[0]).T)
        return Labels(pixels, sha256_of_json([[self._label(row), row[self.columns.rle]] for _, row in rows]))

    @property
    def _rows(self) -> Mapping[str, Rows]:
        return _rows_by_image(self.path, *_state(self.path), self.columns.image)

    def _row_problems(self, images: dict[str, Path]) -> list[str]:
        problems = []
        for image_id, rows in self._rows.items():
            line = rows[0][0]
            if image_id.lower() in ("", "nan", "null", "none") and image_id not in images:  # pandas writes these
                problems.append(f"{self.path}, line {line}: the row names no image.")
            elif image_id not in images:
                near = did_you_mean(image_id, images)
                problems.append(f"{self.path}, line {line}: there is no image {image_id!r} in {self.images}.{near}")
            problems += [problem for line, row in rows if (problem := self._class_problem(line, row))]
            problems += self._repeated(image_id, rows)
        return problems

    def _repeated(self, image_id: str, rows: Rows) -> list[str]:
        """Problems: the same object twice, and an empty row next to a row with an object."""
        cells = Counter((row[self.columns.rle], self._class_cell(row)) for _, row in rows)
        problems = [f"{self.path}: two rows of image {image_id!r} are the same." for n in cells.values() if n > 1]
        if len(cells) > 1 and self.columns.class_label is None and any(not rle for rle, _ in cells):
            problems.append(f"{self.path}: image {image_id!r} has a row without an object and rows with one.")
        return problems

    def _class_cell(self, row: dict[str, str]) -> str | None:
        return None if self.columns.class_label is None else row[self.columns.class_label]

    def _class_problem(self, line: int, row: dict[str, str]) -> str:
        cell = self._class_cell(row)
        if cell is None or not row[self.columns.rle] or cell in self._labels:
            return ""
        return f"{self.path}, line {line}: {cell!r} is not a class.{did_you_mean(cell, self.classes)}"

    def _label(self, row: dict[str, str]) -> int:
        cell = self._class_cell(row)
        return 1 if cell is None else self._labels.get(cell, 0)

    @cached_property
    def _labels(self) -> dict[str, int]:
        """The index of each class by its name, and by its number as text if no class has that name."""
        return {str(i): i for i in range(1, len(self.classes))} | {name: i for i, name in enumerate(self.classes)}


def image_named(cell: str) -> str:
    """The id of the image that a cell names, with or without suffix and folders."""
    # Without an image suffix, a dot belongs to the name: with .png added, id_of does not take it for a suffix.
    return id_of(cell if not cell or Path(cell).suffix.lower() in SUFFIXES else f"{cell}.png")


def detect_columns(
    table: CsvFile,
    image_ids: Sequence[str],
    *,
    image_column: str | None,
    rle_column: str | None,
    class_column: str | None,
) -> RleColumns:
    """The named columns, and in place of None the columns with the expected contents or name.

    Raises:
        DataError: a named column does not exist, or no column fits.
    """
    for name in (image_column, rle_column, class_column):
        if name is not None:
            table.column(name)
    known = set(image_ids)
    named = {c: sum(image_named(row[c]) in known for _, row in table.rows) for c in table.columns if c != rle_column}
    image_column = image_column or max(named, key=lambda c: named[c])
    if not named.get(image_column):
        example = f" (such as {image_ids[0]!r})" if image_ids else ""
        raise DataError(
            f"No column of {table.path} has the names of the images{example}. Its columns: {', '.join(table.columns)}.",
            hint="Name the column: --image-column NAME.",
        )
    rle_column = rle_column or _find_column(table, RLE_NAMES, other_than=image_column)
    if rle_column is None:
        raise DataError(
            f"{table.path} has no column {' or '.join(RLE_NAMES[:2])}. Its columns: {', '.join(table.columns)}.",
            hint="Name the column with the run lengths: --rle-column NAME.",
        )
    class_column = class_column or _find_column(table, CLASS_NAMES, other_than=image_column)
    return RleColumns(image_column, rle_column, class_column)


def classes_of(table: CsvFile, columns: RleColumns) -> tuple[str, ...]:
    """Background, then the classes that occur, in natural order; background and object without a class column."""
    if columns.class_label is None:
        return OBJECT_CLASSES
    names = {row[columns.class_label] for _, row in table.rows} - {"", OBJECT_CLASSES[0]}
    return (OBJECT_CLASSES[0], *sorted(names, key=natural_key))


def read_rle_csv(path: Path) -> CsvFile:
    """The rows of the file, read once in a process as long as the file stays the same.

    Raises:
        DataError: it cannot be read.
    """
    return _read(path, *_state(path))


def _state(path: Path) -> tuple[int, int]:
    """The size and the modification time of a file, which change when somebody writes to it."""
    try:
        state = path.stat()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    return state.st_size, state.st_mtime_ns


@lru_cache(maxsize=2)
def _read(path: Path, size: int, changed: int) -> CsvFile:
    return read_csv(path)


@lru_cache(maxsize=2)
def _rows_by_image(path: Path, size: int, changed: int, image_column: str) -> Mapping[str, Rows]:
    rows: dict[str, Rows] = defaultdict(list)
    for line, row in _read(path, size, changed).rows:
        rows[image_named(row[image_column])].append((line, row))
    return dict(rows)


def _find_column(table: CsvFile, names: Sequence[str], *, other_than: str) -> str | None:
    """The column whose name, in lower case and without separators, is one of `names`; the first of `names` wins."""
    plain = {c.lower().replace("_", "").replace("-", "").replace(" ", ""): c for c in table.columns if c != other_than}
    return next((plain[name] for name in names if name in plain), None)
