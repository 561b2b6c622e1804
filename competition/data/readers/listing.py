"""The image files in a folder, and the names that comp refuses."""

from pathlib import Path, PurePosixPath, PureWindowsPath

from competition.data.naming import id_of

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp")


def files_by_id(folder: Path, noun: str, problems: list[str]) -> dict[str, Path]:
    """The image files of a folder, by id. Hidden files, and files with other suffixes, are skipped.

    Args:
        noun: the contents of the folder in problems (`test images`).
        problems: everything that is wrong with the folder is added to it.
    """
    try:
        names = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        why = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        problems.append(f"The folder of {noun}, {folder}, {why}.")
        return {}
    files: dict[str, Path] = {}
    for name in names:
        if Path(name).suffix.lower() not in SUFFIXES:
            continue
        if not name.isprintable():
            problems.append(f"{folder}: the name {name!r} has characters that cannot be printed; rename the file.")
        elif id_of(name) in files:
            other = files[id_of(name)].name
            problems.append(f"{folder}: {other} and {name} have the same stem, so they would be one image.")
        else:
            files[id_of(name)] = folder / name
    if not files:
        contents = f"; it holds {', '.join(names[:3])}{' …' if len(names) > 3 else ''}" if names else ""
        problems.append(f"The folder of {noun}, {folder}, has no image files ({', '.join(SUFFIXES)}){contents}.")
    return files


def refusal_of_name(name: object) -> str:
    """The reason why a name cannot be a file inside a folder; empty if it can.

    A list from the internet must not make comp read files outside the folder of the data.
    """
    if not isinstance(name, str):
        return "it is not a text"
    if not PurePosixPath(name.strip()).name:
        return "it is empty"
    if not name.isprintable():
        return "it has characters that cannot be printed"
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or name.startswith("\\"):
        return "it is an absolute path, but names must be inside the folder"
    if ".." in PureWindowsPath(name).parts:  # a Windows path splits at / and at \
        return "it leads out of the folder"
    return ""
