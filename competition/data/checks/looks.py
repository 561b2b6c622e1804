"""The looks of a competition's pictures: computed once, kept beside the manifest, found again by the file's sha256."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from competition.config.settings import Settings
from competition.data.checks.hashes import BITS, Hashes, Look, look_at
from competition.data.load import Loader, open_loader
from competition.data.manifest import Item, Manifest
from competition.data.parallel import Progress, in_threads
from competition.data.tables import read_table, write_table
from competition.errors import DataError

COLUMNS = ("image_sha256", "hash", "constant", "flat")
METHOD = "the 16x16 lowest frequencies of 64x64 grey pixels against their median"
"""Stands in the file's header; looks that another method made are made anew."""

_CHUNK = 1024
"""So many pictures are looked at between two writes: an interruption costs no more than that."""


@dataclass(frozen=True)
class Looks:
    """The look of each picture by the sha256 of its file; pictures that cannot be read, or have changed, have none."""

    of: Mapping[str, Look]

    def look(self, item: Item) -> Look | None:
        """What the picture looks like, if that is known."""
        return self.of.get(item.image_sha256)

    def telling(self, items: Sequence[Item]) -> list[int]:
        """The positions of the items whose looks say something: that are known and not flat."""
        return [i for i, item in enumerate(items) if (look := self.look(item)) is not None and not look.flat]

    def hashes(self, items: Iterable[Item]) -> Hashes:
        """The hashes (N, 32) of items that have looks."""
        found = [self.of[item.image_sha256].hash for item in items]
        return np.frombuffer(b"".join(found), dtype=np.uint8).reshape(len(found), BITS // 8)


def find_looks(
    manifest: Manifest, settings: Settings, root: Path, kept: Path, *, progress: Progress | None = None
) -> Looks:
    """The looks of all pictures, labelled and test; those that are not in the file `kept` are added to it.

    Pictures are decoded on all cores, 1,024 between two writes.
    """
    known = _read(kept)
    missing = list(
        {i.image_sha256: i for i in (*manifest.items, *manifest.test) if i.image_sha256 not in known}.values()
    )
    look = partial(_look, open_loader(settings, root))
    for start in range(0, len(missing), _CHUNK):
        chunk = missing[start : start + _CHUNK]
        looked = in_threads(look, chunk, progress=_shifted(progress, start, len(missing)))
        known |= {item.image_sha256: made for item, made in zip(chunk, looked, strict=True) if made is not None}
        _write(kept, known)
    return Looks(known)


def _look(loader: Loader, item: Item) -> Look | None:
    try:
        return look_at(loader.image(item))
    except DataError:
        return None  # the check for changed files names it


def _read(path: Path) -> dict[str, Look]:
    """The looks in a file; none where it is missing, damaged or made by another method: they can be made again."""
    try:
        table = read_table(path, columns=COLUMNS, mend="")
        if table.facts.get("method") != METHOD:
            return {}
        return {
            sha256: Look(bytes.fromhex(picture), constant == "1", flat == "1")
            for _, (sha256, picture, constant, flat) in table.rows
            if len(picture) == 64
        }
    except (DataError, ValueError):
        return {}


def _write(path: Path, looks: Mapping[str, Look]) -> None:
    rows = [(sha256, look.hash.hex(), int(look.constant), int(look.flat)) for sha256, look in sorted(looks.items())]
    write_table(path, columns=COLUMNS, rows=rows, facts={"method": METHOD})


def _shifted(progress: Progress | None, start: int, total: int) -> Progress | None:
    return None if progress is None else lambda done, _: progress(start + done, total)
