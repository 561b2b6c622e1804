"""Splits that others made: a column of a table, or a file of folds."""

from collections.abc import Collection, Mapping
from pathlib import Path

from competition.data.manifest import Manifest
from competition.data.naming import find_image_column, id_in_cell, natural_key
from competition.data.readers.csvfile import CsvFile, read_csv
from competition.data.split.folds import NEVER, Scheme, Split
from competition.errors import DataError, all_problems

FOLD_COLUMN = "fold"
_TRAIN = ("train", "training", "trn", str(NEVER))


def split_by_column(manifest: Manifest, path: Path, column: str) -> Split:
    """The split in a column of a CSV file, such as `split` with train and val, or `fold` with 0 to 4.

    Images of `train` (or -1) validate no model; every other value is a fold, in natural order.

    Raises:
        DataError: an image has no value or several, or the values make no split; names all problems.
    """
    table = read_csv(path)
    ids = manifest.by_id.keys()
    image_column = _image_column(table, column, ids)
    values: dict[str, str] = {}
    problems: list[str] = []
    for line, row in table.rows:
        image_id = id_in_cell(row[image_column], ids)
        if image_id is None:
            continue
        if values.setdefault(image_id, row[column]) != row[column]:
            problems.append(
                f"line {line}: {image_id!r} has the {column} {row[column]!r}, but {values[image_id]!r} in a line above."
            )
    problems += [f"the image {i!r} has no {column}." for i in ids if not values.get(i)]
    if problems:
        raise DataError(all_problems(f"{path} does not define a split", problems))
    return _split(values, f"The column {column!r} of {path}")


def split_by_file(manifest: Manifest, path: Path) -> Split:
    """The split in a CSV file with a column `fold` and one that names the images, as `comp split --export` writes it.

    Raises:
        DataError: see `split_by_column`; also if the file names images that do not exist.
    """
    table = read_csv(path)
    ids = manifest.by_id.keys()
    image_column = _image_column(table, FOLD_COLUMN, ids)
    unknown = [
        f"line {line}: there is no image {row[image_column]!r}."
        for line, row in table.rows
        if not id_in_cell(row[image_column], ids)
    ]
    if unknown:
        raise DataError(all_problems(f"{path} names images that the data does not have", unknown))
    return split_by_column(manifest, path, FOLD_COLUMN)


def _split(values: Mapping[str, str], source: str) -> Split:
    """The split with a fold for each value that does not mean "only trained on"."""
    names = sorted(set(values.values()), key=natural_key)
    folds = [name for name in names if name.casefold() not in _TRAIN]
    listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    if not folds or len(names) < 2:
        raise DataError(
            f"{source} has only {listed}: a split needs images to train on and images to validate on.",
            hint="Its values are train and one other word, or the numbers of the folds (-1 for train only).",
        )
    # Numbers next to `train` are folds; words are not (train, val, test: is test a second fold? Better ask).
    if len(folds) < len(names) and len(folds) > 1 and not all(name.isdecimal() for name in folds):
        raise DataError(
            f"{source} has the values {listed}. Next to train, only one value may stand: the validation images.",
            hint="Write the folds to a file with the columns id and fold (-1 for images that are only trained on), "
            "and use --folds-csv FILE.",
        )
    if len(folds) == len(values):
        raise DataError(f"{source} has a different value for every image, so each image would be a fold of its own.")
    number = {name: fold for fold, name in enumerate(folds)}
    assignment = {image_id: number.get(value, NEVER) for image_id, value in values.items()}
    in_order = {image_id: assignment[image_id] for image_id in sorted(assignment, key=natural_key)}
    return Split(Scheme.IMPORTED, len(folds), 0, in_order)


def _image_column(table: CsvFile, fold_column: str, ids: Collection[str]) -> str:
    """The column with the names of the images."""
    table.column(fold_column)
    others = [name for name in table.columns if name != fold_column]
    image_column = find_image_column([row for _, row in table.rows], others, ids)
    if image_column is None:
        example = next(iter(ids), "-")
        raise DataError(
            f"{table.path} has no column with the names of the images (such as {example!r}).",
            hint="Write one row for each image, with its id or file name. `comp split --export FILE` shows the form.",
        )
    return image_column
