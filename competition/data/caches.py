"""The caches of a competition on disk: which there are, and removing them."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from competition.paths import CachePaths, Paths


@dataclass(frozen=True)
class KeptCache:
    """One cache.

    Args:
        fingerprint: of the data that it was made from.
        size: `HEIGHTxWIDTH`.
        bytes: what it takes on disk.
        unfinished: it was left by a process that died over it, or is being built.
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


def find_caches(paths: Paths) -> list[KeptCache]:
    """Every cache of the competition, of the current data or of older."""
    return [
        _kept(folder, data.name)
        for data in sorted(paths.all_data.glob("*"))
        for folder in sorted(paths.cache(data.name).glob("*"))
        if folder.is_dir()
    ]


def remove_cache(kept: KeptCache) -> None:
    """Remove a cache; waits for a process that is building it."""
    cache = CachePaths(kept.folder.with_name(kept.size))
    with FileLock(cache.lock):
        shutil.rmtree(kept.folder, ignore_errors=True)


def _kept(folder: Path, fingerprint: str) -> KeptCache:
    size = folder.name.removeprefix(".").removesuffix(CachePaths(folder).unfinished.suffix)
    taken = sum(file.stat().st_blocks * 512 for file in folder.iterdir() if file.is_file())
    return KeptCache(folder, fingerprint, size, taken, unfinished=folder.name.startswith("."))
