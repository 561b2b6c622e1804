"""Which image files lie in a folder, and where a name that a list gives lies inside it."""

import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath

from competition.data.naming import id_of

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp")


def files_by_id(folder: Path, what: str, problems: list[str]) -> dict[str, Path]:
    """The image files of a folder by id; what is wrong with the folder is added to `problems`.

    Files that are no images by their suffix, and hidden ones, are passed over.
    """
    try:
        names = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        why = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        problems.append(f"The folder of {what}, {folder}, {why}.")
        return {}
    found: dict[str, Path] = {}
    for name in names:
        if Path(name).suffix.lower() not in SUFFIXES:
            continue
        if not name.isprintable():
            problems.append(f"{folder}: the name {name!r} holds characters that cannot be written down; rename it.")
        elif id_of(name) in found:
            other = found[id_of(name)].name
            problems.append(f"{folder}: {other} and {name} have the same stem, so they would be one image.")
        else:
            found[id_of(name)] = folder / name
    if not found:
        other_files = f"; it holds {', '.join(names[:3])}{' …' if len(names) > 3 else ''}" if names else ""
        problems.append(f"The folder of {what}, {folder}, has no image files ({', '.join(SUFFIXES)}){other_files}.")
    return found


def wrong_name(name: object) -> str:
    """Why a name cannot be that of a file inside a folder; empty where it can.

    A list that somebody else wrote must not make comp read files outside the folder it was given.
    """
    if not isinstance(name, str):
        return "it is no text"
    if not PurePosixPath(name.strip()).name:
        return "it is empty"
    if not name.isprintable():
        return "it holds characters that cannot be written down"
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or name.startswith("\\"):
        return "it is an absolute path; names must lie inside the folder"
    if ".." in PureWindowsPath(name).parts:  # these split at / and at \
        return "it leads out of the folder"
    return ""


def ids_of(names: Iterable[str]) -> dict[str, str]:
    """The id of each image of a list, by its name there: the stem, after the folders that not all of them share.

    `batch_01/0001.jpg` beside `batch_02/0001.jpg` is `batch_01/0001`; where all lie in `images/`, it is `0001`.
    """
    paths = {name: PurePosixPath(name) for name in names}
    shared = 0
    for parts in zip(*(path.parent.parts for path in paths.values()), strict=False):
        if len(set(parts)) > 1:
            break
        shared += 1
    return {name: id_in_folders(str(PurePosixPath(*path.parts[shared:]))) for name, path in paths.items()}


def id_in_folders(name: str) -> str:
    """The stem of a file with all the folders before it, in one Unicode form."""
    path = PurePosixPath(name)
    return unicodedata.normalize("NFC", str(path.parent / path.stem))
