"""The images as the model sees them: decoded and resized once, then mapped into memory by every job that wants them."""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from competition.config.settings import Settings
from competition.data.images import Pixels, resize_image, resize_labels
from competition.data.load import CHANGED, Loader, open_loader
from competition.data.manifest import Item, Manifest
from competition.data.parallel import Progress, in_threads
from competition.errors import DataError, all_problems
from competition.paths import CachePaths

Mapped = np.memmap[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class PseudoPart:
    """Test images that a job trains on.

    Args:
        masks: (N, H, W) class indices, and IGNORE_INDEX for void.
        rows: by id, the row of the image in the cache's `test_images` and that of its labels in `masks`.
    """

    path: Path
    masks: Mapped
    rows: Mapping[str, tuple[int, int]]

    @classmethod
    def map(cls, path: Path, rows: Mapping[str, tuple[int, int]]) -> "PseudoPart":
        """With the masks in the file at `path`."""
        return cls(path, np.load(path, mmap_mode="r", allow_pickle=False), rows)

    def __reduce__(self) -> tuple[object, ...]:
        """Another process maps the same file."""
        return PseudoPart.map, (self.path, self.rows)


@dataclass(frozen=True)
class Cache:
    """Every image at one size, as read-only uint8 arrays mapped into memory.

    Args:
        images: (N, H, W, 3) RGB, the labelled images.
        masks: (N, H, W) class indices, and IGNORE_INDEX for void.
        test_images: (M, H, W, 3) RGB.
        index: the row of each labelled image in `images` and `masks`, by id.
        test_index: the row of each test image in `test_images`, by id.
        pseudo: test images that count as labelled; None where there are none.
    """

    paths: CachePaths
    images: Mapped
    masks: Mapped
    test_images: Mapped
    index: Mapping[str, int]
    test_index: Mapping[str, int]
    pseudo: PseudoPart | None = None

    def pair(self, image_id: str) -> tuple[Pixels, Pixels]:
        """An image to train on, (H, W, 3), and its mask, (H, W)."""
        row = self.index.get(image_id)
        if row is not None:
            return self.images[row], self.masks[row]
        if self.pseudo is None:
            raise KeyError(image_id)
        of_image, of_mask = self.pseudo.rows[image_id]
        return self.test_images[of_image], self.pseudo.masks[of_mask]

    def __reduce__(self) -> tuple[object, ...]:
        """Another process maps the same files; the pixels do not travel."""
        return _map, (self.paths, self.index, self.test_index, self.pseudo)


def open_cache(
    manifest: Manifest,
    settings: Settings,
    root: Path,
    cache_dir: Path,
    size: tuple[int, int],
    *,
    progress: Progress | None = None,
    tell: Callable[[str], None] = print,
) -> Cache:
    """The cache of the manifest's images at `size` (height, width), built if nobody has built it yet.

    Jobs that come while it is being built wait. It is there whole or not at all: a process that dies over it leaves
    nothing that anybody would read.

    Args:
        cache_dir: the folder that belongs to this manifest's fingerprint (`Paths.cache`).
        tell: is told how much disk the cache takes, before it is built.

    Raises:
        DataError: files have changed since they were indexed (all are named), or the disk is too full.
    """
    paths = CachePaths(cache_dir / f"{size[0]}x{size[1]}")
    if not paths.folder.is_dir():
        cache_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(paths.lock):
            if not paths.folder.is_dir():
                _state_disk(manifest, size, cache_dir, tell)
                _build(manifest, settings, root, paths, size, progress)
    return _map(paths, _rows(manifest.items), _rows(manifest.test))


def disk_need(manifest: Manifest, size: tuple[int, int]) -> int:
    """How many bytes the cache of the manifest's images takes at `size` (height, width)."""
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
    """Fill a folder aside, then rename it. The lock is held, so what lies there was left by a process that died."""
    aside = CachePaths(paths.unfinished)
    shutil.rmtree(aside.folder, ignore_errors=True)
    aside.folder.mkdir()
    try:
        cache = _create(aside, manifest, size)
        fill = partial(_fill, cache, open_loader(settings, root))
        problems = [p for p in in_threads(fill, [*manifest.items, *manifest.test], progress=progress) if p]
        if problems:
            raise DataError(all_problems("The data has changed since it was indexed", problems), hint=CHANGED)
        for array in (cache.images, cache.masks, cache.test_images):
            array.flush()
        aside.folder.rename(paths.folder)
    finally:
        shutil.rmtree(aside.folder, ignore_errors=True)


def _create(paths: CachePaths, manifest: Manifest, size: tuple[int, int]) -> Cache:
    """A cache whose arrays can be written to."""
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
    """A mapped file of that shape, with its disk space reserved: a full disk would kill the process in mid-write."""
    array: Mapped = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


def _fill(cache: Cache, loader: Loader, item: Item) -> str:
    """Put an image, and its mask where it has one, into their rows; what is wrong with them, or an empty string."""
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


def _state_disk(manifest: Manifest, size: tuple[int, int], folder: Path, tell: Callable[[str], None]) -> None:
    needed, free = disk_need(manifest, size), shutil.disk_usage(folder).free
    what = f"The cache of {len(manifest.items) + len(manifest.test)} images at {size[0]}x{size[1]}"
    if needed > free:
        raise DataError(
            f"{what} needs {_readable(needed)}, and the disk that {folder} lies on has {_readable(free)} left.",
            hint="Free some space (`comp cache clear`), or run with a smaller size: --set data.size=HEIGHTxWIDTH.",
        )
    tell(f"{what} takes {_readable(needed)} of the {_readable(free)} that are free.")


def _readable(number: int) -> str:
    return f"{number / 2**30:.1f} GiB" if number >= 2**30 else f"{number / 2**20:.1f} MiB"


def _rows(items: Iterable[Item]) -> dict[str, int]:
    return {item.id: row for row, item in enumerate(items)}
