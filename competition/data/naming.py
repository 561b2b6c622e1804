"""The ids of images, the images that the cells of a table name, and the natural order of names."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePath, PurePosixPath

_TEXT_THEN_NUMBER = re.compile(r"([^0-9]*)([0-9]*)")


def id_of(name: str | PurePath) -> str:
    """The id of the image in a file: the stem of the file name, in the Unicode form NFC.

    macOS writes `é` as two code points and Linux as one; without NFC, an image zipped on one and a mask zipped on the
    other would not be paired.
    """
    return unicodedata.normalize("NFC", PurePath(name).stem)


def id_in_folders(name: str) -> str:
    """The stem of a file with all folders before it, in the Unicode form NFC."""
    path = PurePosixPath(name)
    return unicodedata.normalize("NFC", str(path.parent / path.stem))


def ids_of(names: Iterable[str]) -> dict[str, str]:
    """The id of each image of a list, by its name there: the stem, after the folders that not all names share.

    With `batch_02/0001.jpg` in the list, `batch_01/0001.jpg` becomes `batch_01/0001`; if all images are in `images/`,
    `images/0001.jpg` becomes `0001`.
    """
    paths = {name: PurePosixPath(name) for name in names}
    shared = 0
    for parts in zip(*(path.parent.parts for path in paths.values()), strict=False):
        if len(set(parts)) > 1:
            break
        shared += 1
    return {name: id_in_folders(str(PurePosixPath(*path.parts[shared:]))) for name, path in paths.items()}


def id_in_cell(cell: str, ids: Collection[str]) -> str | None:
    """The id that a cell of a table names, as the id itself or as a file name with or without folders; or None."""
    cell = cell.strip()
    parts = id_in_folders(cell).split("/")
    endings = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((i for i in (cell, *endings) if i in ids), None)


def find_image_column(rows: Collection[Mapping[str, str]], columns: Iterable[str], ids: Collection[str]) -> str | None:
    """The column whose cells name the most images; None if no cell names one."""
    named = {column: sum(id_in_cell(row[column], ids) is not None for row in rows) for column in columns}
    best = max(named, key=lambda column: named[column], default=None)
    return best if best is not None and named[best] else None


def natural_key(name: str) -> tuple[tuple[tuple[str, int], ...], str]:
    """A sort key that puts `frame9` before `frame10`; different names never compare equal."""
    parts = _TEXT_THEN_NUMBER.findall(name)
    return tuple((text.casefold(), int(number) if number else -1) for text, number in parts), name
