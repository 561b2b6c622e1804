"""The sample submission that a competition hands out: its columns, its ids and their order."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from competition.data.naming import id_of
from competition.data.readers.csvfile import read_csv
from competition.errors import DataError, all_problems

IMAGE_NAMES = ("imageid", "id", "image", "img", "filename", "file", "imagename")
VALUE_NAMES = ("encodedpixels", "rle", "rlemask", "predictionstring", "segmentation", "prediction", "mask", "pixels")
CLASS_NAMES = ("class", "classid", "classname", "label", "labelid", "category", "categoryid")


@dataclass(frozen=True)
class Sample:
    """A sample submission.

    Args:
        columns: in their order.
        image_column: names the image of a row, as the competition wants it named.
        value_column: holds the prediction.
        class_column: the row's class; None where there is no such column.
        rows: the cells of each row, by column, in order.
    """

    path: Path
    columns: tuple[str, ...]
    image_column: str
    value_column: str
    class_column: str | None
    rows: tuple[Mapping[str, str], ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The images of the sample as they are named there, each once, in their order."""
        return tuple(dict.fromkeys(row[self.image_column] for row in self.rows))

    def match(self, images: Mapping[str, str]) -> dict[str, str]:
        """The id of each image of the sample by its name there, in the sample's order.

        Args:
            images: the file name of each test image by its id. The sample may name an image by either, by the file's
                name without its folders, or without its suffix.

        Raises:
            DataError: it names an image that is no test image, or leaves one out; all are named.
        """
        known = _known_names(images)
        unknown = [name for name in self.names if name not in known]
        found = {name: known[name] for name in self.names if name in known}
        missing = [image_id for image_id in images if image_id not in set(found.values())]
        problems = [f"{name!r} is no test image." for name in unknown]
        problems += [f"The test image {image_id!r} is not in it." for image_id in missing]
        if problems:
            raise DataError(all_problems(f"{self.path} does not fit the test images", problems))
        return found

    def label_of(self, row: Mapping[str, str], classes: Sequence[str]) -> int:
        """The class that a row is about; 1 where the sample has no column for it.

        Raises:
            DataError: its cell names none.
        """
        if self.class_column is None:
            return 1
        cell = row[self.class_column]
        if cell in classes:
            return classes.index(cell)
        if cell.isdecimal() and int(cell) < len(classes):
            return int(cell)
        raise DataError(f"{self.path} names the class {cell!r}, and there are {', '.join(classes)}.")


def read_sample(path: Path) -> Sample:
    """The sample submission at `path`.

    Raises:
        DataError: it cannot be read, or its columns are not those of a submission.
    """
    table = read_csv(path)
    if len(table.columns) < 2:
        raise DataError(f"{path} has one column, {table.columns[0]!r}; a submission names images and predictions.")
    image = _named(table.columns, IMAGE_NAMES) or table.columns[0]
    others = [column for column in table.columns if column != image]
    of_class = _named(others, CLASS_NAMES) if len(others) > 1 else None
    values = [column for column in others if column != of_class]
    value = _named(values, VALUE_NAMES) or values[-1]
    rows = tuple(row for _, row in table.rows)
    _check_rows_differ(path, [(row[image], row[of_class] if of_class else "") for row in rows])
    return Sample(path, table.columns, image, value, of_class, rows)


def _check_rows_differ(path: Path, keys: Sequence[tuple[str, str]]) -> None:
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        what = f"{twice[0]!r}, class {twice[1]!r}" if twice[1] else f"{twice[0]!r}"
        raise DataError(f"{path} has two rows for {what}. comp writes one row per image, or per image and class.")


def _named(columns: Collection[str], names: Sequence[str]) -> str | None:
    """The column that bears the earliest of the names; case and punctuation make no difference."""
    bare = {"".join(c for c in column.lower() if c.isalnum()): column for column in columns}
    return next((bare[name] for name in names if name in bare), None)


def _known_names(images: Mapping[str, str]) -> dict[str, str]:
    """The id of a test image by everything that a sample may call it; what would mean two images means none."""
    known: dict[str, str] = {}
    ambiguous: set[str] = set()
    for image_id, file in images.items():
        base = PurePosixPath(file).name
        for name in {base, id_of(base)} - {image_id, file}:
            if known.setdefault(name, image_id) != image_id:
                ambiguous.add(name)
    certain = {name: image_id for name, image_id in known.items() if name not in ambiguous}
    return {**certain, **{file: i for i, file in images.items()}, **{i: i for i in images}}
