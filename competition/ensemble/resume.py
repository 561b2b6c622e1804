"""Label maps that a blend has made so far, kept until it is finished: what was killed goes on where it was.

A file with a line that says what blend it is of, and a record for each image in order. Those of another blend are made
anew, and so are those from the first record on that was cut short or damaged.
"""

import fcntl
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from competition.scoring.confusion import Labels

FinishedMap = tuple[Labels, int]
"""A label map, uint8 (H, W), and how many of its pixels are in doubt."""

_HEAD = struct.Struct("<IIQI")
"""Height, width, doubtful pixels, and the bytes of the deflated label map, which follows."""
_CHECKSUM = struct.Struct("<I")
"""CRC-32 of both, at the end."""


def resumable(
    make: Callable[[Sequence[str]], Iterable[FinishedMap]], ids: Sequence[str], *, path: Path, key: str
) -> Iterator[tuple[FinishedMap, bool]]:
    """What `make` makes of the ids, in order, and whether it was made before; the file stays until `remove`.

    Where another process is making the same, nothing is kept.

    Args:
        key: of everything that decides the label maps.
    """
    first_line = f"{key}\n".encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield from ((made, False) for made in make(ids))
            return
        file.seek(0)
        if file.readline() != first_line:
            file.truncate(0)
            file.write(first_line)
        done, end = 0, len(first_line)
        while (made := _read(file)) is not None:
            done, end = done + 1, file.tell()
            yield made, True
        file.truncate(end)
        for made in make(ids[done:]):
            file.write(_record(made))
            file.flush()
            yield made, False


def remove(path: Path) -> None:
    """Remove the file, unless another process is writing to it."""
    with suppress(FileNotFoundError, BlockingIOError), path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()


def _record(made: FinishedMap) -> bytes:
    labels, undecided = made
    data = zlib.compress(np.ascontiguousarray(labels).data, 1)
    record = _HEAD.pack(*labels.shape, undecided, len(data)) + data
    return record + _CHECKSUM.pack(zlib.crc32(record))


def _read(file: BinaryIO) -> FinishedMap | None:
    """The next record; None where there is none that is whole."""
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    height, width, undecided, size = _HEAD.unpack(head)
    data, checksum = file.read(size), file.read(_CHECKSUM.size)
    if checksum != _CHECKSUM.pack(zlib.crc32(head + data)):
        return None
    return np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, width), undecided
