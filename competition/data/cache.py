"""The images as the model sees them: decoded and resized once, then mapped into memory by every job that wants them."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from competition.data.images import decode_image, decode_mask, read_bytes, resize_image, resize_labels, to_labels
from competition.data.load import CHANGED, image_path, mask_path
from competition.data.manifest import Item, Manifest
from competition.data.parallel import Progress, in_threads
from competition.data.readers.folders import Folders, folders_of
from competition.errors import DataError, all_problems
from competition.paths import CachePaths
from competition.settings import Settings

Mapped = np.memmap[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class Cache:
    """Every image at one size, as read-only uint8 arrays mapped into memory.

    Args:
        images: (N, H, W, 3) RGB, the labelled images.
        masks: (N, H, W) class indices, and IGNORE_INDEX for void.
        test_images: (M, H, W, 3) RGB.
        index: the row of each labelled image in `images` and `masks`, by id.
        test_index: the row of each test image in `test_images`, by id.
    """

    paths: CachePaths
    images: Mapped
    masks: Mapped
    test_images: Mapped
    index: Mapping[str, int]
    test_index: Mapping[str, int]

    def __reduce__(self) -> tuple[object, ...]:
        """Another process maps the same files; the pixels do not travel."""
        return _map, (self.paths, self.index, self.test_index)


def open_cache(
    manifest: Manifest,
    settings: Settings,
    root: Path,
    cache_dir: Path,
    size: tuple[int, int],
    *,
    progress: Progress | None = None,
) -> Cache:
    """The cache of the manifest's images at `size` (height, width), built if nobody has built it yet.

    Jobs that come while it is being built wait. It is there whole or not at all: a process that dies over it leaves
    nothing that anybody would read.

    Args:
        cache_dir: the folder that belongs to this manifest's fingerprint (`Paths.cache`).

    Raises:
        DataError: files have changed since they were indexed (all are named), or the disk is too full.
    """
    paths = CachePaths(cache_dir / f"{size[0]}x{size[1]}")
    if not paths.folder.is_dir():
        cache_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(paths.lock):
            if not paths.folder.is_dir():
                _build(manifest, settings, root, paths, size, progress)
    return _map(paths, _rows(manifest.items), _rows(manifest.test))


def _map(paths: CachePaths, index: Mapping[str, int], test_index: Mapping[str, int]) -> Cache:
    images, masks, test_images = (
        np.load(path, mmap_mode="r", allow_pickle=False) for path in (paths.images, paths.masks, paths.test_images)
    )
    return Cache(paths, images, masks, test_images, index, test_index)


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
    _check_disk(manifest, size, paths.folder.parent)
    aside.folder.mkdir()
    try:
        cache = _create(aside, manifest, size)
        fill = partial(_fill, cache, folders_of(settings, root), settings)
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
        _new_file(paths.images, (labelled, *size, 3)),
        _new_file(paths.masks, (labelled, *size)),
        _new_file(paths.test_images, (test, *size, 3)),
        _rows(manifest.items),
        _rows(manifest.test),
    )


def _new_file(path: Path, shape: tuple[int, ...]) -> Mapped:
    """A mapped file of that shape, with its disk space reserved: a full disk would kill the process in mid-write."""
    array: Mapped = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


def _fill(cache: Cache, folders: Folders, settings: Settings, item: Item) -> str:
    """Put an image, and its mask where it has one, into their rows; what is wrong with them, or an empty string."""
    height, width = cache.images.shape[1:3]
    try:
        data = _unchanged(image_path(item, folders), item.image_sha256)
        image = resize_image(decode_image(data, image_path(item, folders)), (height, width))
        if not item.is_labelled:
            cache.test_images[cache.test_index[item.id]] = image
            return ""
        cache.images[cache.index[item.id]] = image
        data = _unchanged(mask_path(item, folders), item.mask_sha256)
        raw = decode_mask(data, mask_path(item, folders))
        labels = to_labels(raw, classes=len(settings.classes), void=settings.void)
        cache.masks[cache.index[item.id]] = resize_labels(labels, (height, width))
    except DataError as error:
        return error.message
    return ""


def _unchanged(path: Path, sha256: str) -> bytes:
    """The bytes of a file that is still what it was when it was indexed."""
    data = read_bytes(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise DataError(f"{path} has other contents.")
    return data


def _check_disk(manifest: Manifest, size: tuple[int, int], folder: Path) -> None:
    needed = (4 * len(manifest.items) + 3 * len(manifest.test)) * size[0] * size[1]
    free = shutil.disk_usage(folder).free
    if needed > free:
        images = len(manifest.items) + len(manifest.test)
        raise DataError(
            f"The cache of {images} images at {size[0]}x{size[1]} needs {needed / 2**30:.1f} GiB, and the disk that "
            f"{folder} lies on has {free / 2**30:.1f} GiB left.",
            hint="Free some space, or run with a smaller size: --set data.size=HEIGHTxWIDTH.",
        )


def _rows(items: Iterable[Item]) -> dict[str, int]:
    return {item.id: row for row, item in enumerate(items)}
