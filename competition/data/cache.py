"""The cache: all images at the size that the model sees, decoded and resized once, then mapped into memory by jobs."""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from competition.config.settings import Settings
from competition.data.images import Pixels, resize_image, resize_labels
from competition.data.load import CHANGED_HINT, Loader, open_loader
from competition.data.manifest import Item, Manifest
from competition.data.parallel import Progress, in_threads
from competition.errors import DataError, all_problems
from competition.paths import CachePaths

Mapped = np.memmap[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class PseudoPart:
    """Test images with pseudo-labels, for a job to train on.

    Args:
        masks: uint8 (N, H, W) class indices, and IGNORE_INDEX for void.
        rows: by id, the row of the image in the cache's `test_images` and the row of its labels in `masks`.
    """

    path: Path
    masks: Mapped
    rows: Mapping[str, tuple[int, int]]

    @classmethod
    def map(cls, path: Path, rows: Mapping[str, tuple[int, int]]) -> "PseudoPart":
        """Map the masks in the file at `path` into memory."""
        return cls(path, np.load(path, mmap_mode="r", allow_pickle=False), rows)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the path only: the other process maps the same file, and no pixels are copied."""
        return PseudoPart.map, (self.path, self.rows)


@dataclass(frozen=True)
class Cache:
    """Every image at one size, as read-only uint8 arrays mapped into memory.

    Args:
        images: uint8 (N, H, W, 3) RGB, the labelled images.
        masks: uint8 (N, H, W) class indices, and IGNORE_INDEX for void.
        test_images: uint8 (M, H, W, 3) RGB.
        index: the row of each labelled image in `images` and `masks`, by id.
        test_index: the row of each test image in `test_images`, by id.
        pseudo: test images with pseudo-labels; None if there are none.
    """

    paths: CachePaths
    images: Mapped
    masks: Mapped
    test_images: Mapped
    index: Mapping[str, int]
    test_index: Mapping[str, int]
    pseudo: PseudoPart | None = None

    def pair(self, image_id: str) -> tuple[Pixels, Pixels]:
        """An image to train on, uint8 (H, W, 3), and its mask, uint8 (H, W)."""
        row = self.index.get(image_id)
        if row is not None:
            return self.images[row], self.masks[row]
        if self.pseudo is None:
            raise KeyError(image_id)
        image_row, mask_row = self.pseudo.rows[image_id]
        return self.test_images[image_row], self.pseudo.masks[mask_row]

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the paths only: the other process maps the same files, and no pixels are copied."""
        return _map, (self.paths, self.index, self.test_index, self.pseudo)


def open_cache(
    manifest: Manifest,
    settings: Settings,
    root: Path,
    cache_dir: Path,
    size: tuple[int, int],
    *,
    progress: Progress | None = None,
) -> Cache:
    """The cache of the manifest's images at `size` (height, width), built if it does not exist yet.

    Other jobs wait while it is built. It exists completely or not at all: a process that dies while building leaves
    nothing that a reader would find. Before building, prints how much disk space it takes.

    Args:
        cache_dir: the folder of this manifest's fingerprint (`Paths.cache`).

    Raises:
        DataError: files have changed since they were indexed (names all), or the disk is too full.
    """
    paths = CachePaths(cache_dir / f"{size[0]}x{size[1]}")
    if not paths.folder.is_dir():
        cache_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(paths.lock):
            if not paths.folder.is_dir():  # again: another job may have built it while this one waited
                _check_disk(manifest, size, cache_dir)
                _build(manifest, settings, root, paths, size, progress)
    return _map(paths, _rows(manifest.items), _rows(manifest.test))


def disk_need(manifest: Manifest, size: tuple[int, int]) -> int:
    """The size of the cache in bytes, at `size` (height, width): three channels an image, and one of labels."""
    return (4 * len(manifest.items) + 3 * len(manifest.test)) * size[0] * size[1]


def _map(
    paths: CachePaths, index: Mapping[str, int], test_index: Mapping[str, int], pseudo: PseudoPart | None = None
) -> Cache:
    images, masks, test_images = (
        np.load(path, mmap_mode="r", allow_pickle=False) for path in (paths.images, paths.masks, paths.test_images)
    )
    return Cache(paths, images, masks, test_images, index, test_index, pseudo)


def _build(
    manifest: Manifest,
    settings: Settings,
    root: Path,
    paths: CachePaths,
    size: tuple[int, int],
    progress: Progress | None,
) -> None:
    """Fill a temporary folder, then rename it."""
    aside = CachePaths(paths.unfinished)
    # This process holds the lock, so a folder that exists already was left by a process that died.
    shutil.rmtree(aside.folder, ignore_errors=True)
    aside.folder.mkdir()
    try:
        cache = _create(aside, manifest, size)
        fill = partial(_fill, cache, open_loader(settings, root))
        problems = [p for p in in_threads(fill, [*manifest.items, *manifest.test], progress=progress) if p]
        if problems:
            raise DataError(all_problems("The data has changed since it was indexed", problems), hint=CHANGED_HINT)
        for array in (cache.images, cache.masks, cache.test_images):
            array.flush()
        aside.folder.rename(paths.folder)
    finally:
        shutil.rmtree(aside.folder, ignore_errors=True)


def _create(paths: CachePaths, manifest: Manifest, size: tuple[int, int]) -> Cache:
    """An empty cache with writable arrays."""
    labelled, test = len(manifest.items), len(manifest.test)
    return Cache(
        paths,
        new_file(paths.images, (labelled, *size, 3)),
        new_file(paths.masks, (labelled, *size)),
        new_file(paths.test_images, (test, *size, 3)),
        _rows(manifest.items),
        _rows(manifest.test),
    )


def new_file(path: Path, shape: tuple[int, ...]) -> Mapped:
    """A new .npy file, mapped into memory and writable, uint8, with its disk space reserved."""
    array: Mapped = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    # open_memmap makes a sparse file. If the disk is full when a page of it is written later, the kernel kills the
    # process with SIGBUS. Reserved now, a full disk is an OSError instead.
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


def _fill(cache: Cache, loader: Loader, item: Item) -> str:
    """Put an image, and its mask if it has one, into their rows; returns the problem with them, or an empty string."""
    height, width = cache.images.shape[1:3]
    try:
        image = resize_image(loader.image(item), (height, width))
        if not item.is_labelled:
            cache.test_images[cache.test_index[item.id]] = image
            return ""
        cache.images[cache.index[item.id]] = image
        cache.masks[cache.index[item.id]] = resize_labels(loader.labels(item), (height, width))
    except DataError as error:
        return error.message
    return ""


def _check_disk(manifest: Manifest, size: tuple[int, int], folder: Path) -> None:
    """Print the disk space that the cache takes, or raise if there is not enough."""
    needed, free = disk_need(manifest, size), shutil.disk_usage(folder).free
    subject = f"The cache of {len(manifest.items) + len(manifest.test)} images at {size[0]}x{size[1]}"
    if needed > free:
        raise DataError(
            f"{subject} needs {_readable(needed)}, but the disk of {folder} has only {_readable(free)} left.",
            hint="Free some space (`comp cache clear`), or use a smaller size: --set data.size=HEIGHTxWIDTH.",
        )
    print(f"{subject} takes {_readable(needed)} of {_readable(free)} free disk space.")


def _readable(number: int) -> str:
    return f"{number / 2**30:.1f} GiB" if number >= 2**30 else f"{number / 2**20:.1f} MiB"


def _rows(items: Iterable[Item]) -> dict[str, int]:
    return {item.id: row for row, item in enumerate(items)}
