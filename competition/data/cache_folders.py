"""The cache folders of a competition: list them, remove them."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from competition.paths import CachePaths, Paths


@dataclass(frozen=True)
class CacheFolder:
    """The folder of one cache.

    Args:
        fingerprint: the fingerprint of the data in it.
        size: `HEIGHTxWIDTH`, pixels.
        bytes: the disk space that it takes.
        unfinished: a process is building it now, or died while building it.
    """

    folder: Path
    fingerprint: str
    size: str
    bytes: int
    unfinished: bool

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `comp cache show --json` prints them."""
        return {
            "data": self.fingerprint,
            "size": self.size,
            "bytes": self.bytes,
            "unfinished": self.unfinished,
            "folder": str(self.folder),
        }


def find_caches(paths: Paths) -> list[CacheFolder]:
    """Every cache of the competition, of the current data and of older data."""
    return [
        _measure(folder, data.name)
        for data in sorted(paths.all_data.glob("*"))
        for folder in sorted(paths.cache(data.name).glob("*"))
        if folder.is_dir()
    ]


def remove_cache(cache: CacheFolder) -> None:
    """Remove a cache; waits while another process builds it."""
    lock = CachePaths(cache.folder.with_name(cache.size)).lock  # an unfinished folder has another name, but one lock
    with FileLock(lock):
        shutil.rmtree(cache.folder, ignore_errors=True)


def _measure(folder: Path, fingerprint: str) -> CacheFolder:
    size = folder.name.removeprefix(".").removesuffix(CachePaths(folder).unfinished.suffix)
    # Blocks, not st_size: a sparse file that is still being written takes less than its size. A block is 512 bytes.
    on_disk = sum(file.stat().st_blocks * 512 for file in folder.iterdir() if file.is_file())
    return CacheFolder(folder, fingerprint, size, on_disk, unfinished=folder.name.startswith("."))
