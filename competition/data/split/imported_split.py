"""Splits that somebody else made: a column of a table, or a file of folds."""

from collections.abc import Collection, Mapping
from pathlib import Path, PurePath

from competition.data.manifest import Manifest
from competition.data.naming import id_of, natural_key
from competition.data.readers.csvfile import CsvFile, read_csv
from competition.data.split.folds import NEVER, Scheme, Split
from competition.errors import DataError, all_problems

FOLD_COLUMN = "fold"
_TRAIN = ("train", "training", "trn", str(NEVER))


def split_by_column(manifest: Manifest, table: Path, column: str) -> Split:
    """The split that a column of a CSV file makes, such as `split` with train and val, or `fold` with 0 to 4.

    Images of `train` (or -1) validate no model; every other value is a fold, in natural order.

    Raises:
        DataError: an image has no value or several, or the values make no split; all problems are named.
    """
    found = read_csv(table)
    found.column(column)
    ids = manifest.by_id.keys()
    images = _image_column(found, [name for name in found.columns if name != column], ids)
    values: dict[str, str] = {}
    problems: list[str] = []
    for line, row in found.rows:
        image_id = _named(row[images], ids)
        if image_id is None:
            continue
        if values.setdefault(image_id, row[column]) != row[column]:
            problems.append(
                f"line {line} puts {image_id!r} into {row[column]!r}, a line above into {values[image_id]!r}."
            )
    problems += [f"the image {i!r} has no {column}." for i in ids if not values.get(i)]
    if problems:
        raise DataError(all_problems(f"{table} makes no split", problems))
    return _split(values, f"The column {column!r} of {table}")


def split_by_file(manifest: Manifest, path: Path) -> Split:
    """The split in a CSV file with a column `fold` and one that names the images, as `comp split --export` writes it.

    Raises:
        DataError: see `split_by_column`; also where the file names images that do not exist.
    """
    found = read_csv(path)
    found.column(FOLD_COLUMN)
    ids = manifest.by_id.keys()
    images = _image_column(found, [name for name in found.columns if name != FOLD_COLUMN], ids)
    strangers = [
        f"line {line}: there is no image {row[images]!r}." for line, row in found.rows if not _named(row[images], ids)
    ]
    if strangers:
        raise DataError(all_problems(f"{path} names images that are not in the data", strangers))
    return split_by_column(manifest, path, FOLD_COLUMN)


def _split(values: Mapping[str, str], source: str) -> Split:
    """A split with a fold for each value that does not mean "only trained on"."""
    names = sorted(set(values.values()), key=natural_key)
    folds = [name for name in names if name.casefold() not in _TRAIN]
    listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    if not folds or len(names) < 2:
        raise DataError(f"{source} holds one side only ({listed}): nobody could be trained, or nobody validated.")
    if len(folds) < len(names) and len(folds) > 1 and not all(name.isdecimal() for name in folds):
        raise DataError(
            f"{source} holds {listed}: beside train, there must be one value, the images that validate.",
            hint="Write the folds into a file with the columns id and fold (-1 for images that are only trained on) "
            "and give it: --folds-csv FILE.",
        )
    if len(folds) == len(values):
        raise DataError(f"{source} has another value for every image, so each would be a fold of its own.")
    number = {name: fold for fold, name in enumerate(folds)}
    assignment = {image_id: number.get(value, NEVER) for image_id, value in values.items()}
    in_order = {image_id: assignment[image_id] for image_id in sorted(assignment, key=natural_key)}
    return Split(Scheme.GIVEN, len(folds), 0, in_order)


def _image_column(table: CsvFile, columns: list[str], ids: Collection[str]) -> str:
    """The column whose cells name the most images."""
    named = {c: sum(_named(row[c], ids) is not None for _, row in table.rows) for c in columns}
    best = max(named, key=lambda c: named[c], default="")
    if not best or not named[best]:
        example = next(iter(ids), "-")
        raise DataError(f"{table.path} has no column that names the images (such as {example!r}).")
    return best


def _named(cell: str, ids: Collection[str]) -> str | None:
    """The image that a cell names: by its id, or by its file name with or without folders."""
    candidates = (cell, str(PurePath(cell).with_suffix("")) if cell else "", id_of(cell))
    return next((name for name in candidates if name in ids), None)
