"""A folder of images and a folder of masks, paired by file stem."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from competition.data.naming import id_of, natural_key
from competition.settings import Settings

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp")


@dataclass(frozen=True)
class Folders:
    """Where the images and masks lie."""

    images: Path
    masks: Path
    test_images: Path | None


@dataclass(frozen=True)
class Source:
    """The files of one image; `mask` is None for a test image."""

    id: str
    image: Path
    mask: Path | None


@dataclass(frozen=True)
class Found:
    """What the folders hold, in natural order, and everything that is wrong with them."""

    labelled: tuple[Source, ...]
    test: tuple[Source, ...]
    problems: tuple[str, ...]


def folders_of(settings: Settings, root: Path) -> Folders:
    """The folders that competition.yaml names; relative ones start at `root`."""
    data = settings.data
    test_images = None if data.test_images is None else root / data.test_images
    return Folders(root / data.images, root / data.masks, test_images)


def find(folders: Folders) -> Found:
    """Pair images with masks. Files that are no images by their suffix, and hidden ones, are passed over."""
    problems: list[str] = []
    images = _by_id(folders.images, "images", problems)
    masks = _by_id(folders.masks, "masks", problems)
    test = {} if folders.test_images is None else _by_id(folders.test_images, "test images", problems)
    if folders.images.resolve() == folders.masks.resolve():
        problems.append(f"{folders.images} is given for images and for masks; each needs its own folder.")
    elif images and masks:
        problems += _unpaired(images, masks)
    both = sorted(images.keys() & masks.keys(), key=natural_key)
    return Found(
        tuple(Source(i, images[i], masks[i]) for i in both),
        tuple(Source(i, test[i], None) for i in sorted(test, key=natural_key)),
        tuple(problems),
    )


def _by_id(folder: Path, what: str, problems: list[str]) -> dict[str, Path]:
    """The image files of a folder by id; what is wrong with the folder is added to `problems`."""
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


def _unpaired(images: Mapping[str, Path], masks: Mapping[str, Path]) -> list[str]:
    without_mask = sorted(images.keys() - masks.keys(), key=natural_key)
    without_image = sorted(masks.keys() - images.keys(), key=natural_key)
    return [
        *(f"The image {images[i].name} has no mask." for i in without_mask),
        *(f"The mask {masks[i].name} has no image." for i in without_image),
    ]
