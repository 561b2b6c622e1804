"""Class probabilities on disk: one raw file (a shard) of bytes for many images, and a JSON header beside it.

A probability p is stored as round(255 p), so it is off by at most 1/510. An image takes C x H x W bytes, class after
class, at its own size; shards are written image by image and read through memory maps, so neither side ever holds more
than one image.

A blend is a convex combination, so it is off by at most 1/510 too, and its best class can differ from that of the
unrounded blend only where the two best lie less than 1/255 apart. The header records the share of such pixels.

A shard that is not needed every day can be archived: deflated image by image, read as before, only slower.
"""

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from competition.config.yamlfile import Section
from competition.data.manifest import Item
from competition.files import replacing, write_json
from competition.paths import archive_of, header_of

Part = Literal["oof", "test"]
Probabilities = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Number = TypeVar("Number", np.float32, np.uint8, np.uint16, np.uint32, np.uint64, np.unsignedinteger)

LEVELS = 255
_SUM_TOLERANCE = 1e-3


class Entry(Section):
    """Where an image lies in the shard; `offset` counts bytes."""

    id: str
    height: int = Field(ge=1)
    width: int = Field(ge=1)
    offset: int = Field(ge=0)


class Header(Section):
    """Everything that is known about a shard without opening it."""

    version: Literal[1] = 1
    classes: tuple[str, ...] = Field(min_length=1)
    part: Part
    split_hash: str
    fingerprint: str
    quantisation: Literal["round(255 p)"] = "round(255 p)"
    images: tuple[Entry, ...]
    sha256: str
    crc32: int | None = None
    uncertain_share: float = Field(ge=0, le=1)

    @property
    def bytes(self) -> int:
        """The size that the shard must have."""
        return sum(len(self.classes) * e.height * e.width for e in self.images)


def quantise(probabilities: Probabilities) -> Bytes:
    """Probabilities from 0 to 1 as bytes: round(255 p)."""
    scaled = np.multiply(probabilities, np.float32(LEVELS))
    return np.rint(scaled, out=scaled).astype(np.uint8)


def disk_need(items: Iterable[Item], tests: Iterable[Item], *, classes: int, folds: int) -> int:
    """The bytes that the shards of all folds of one experiment take.

    Args:
        items: the labelled images; each is predicted in one fold.
        tests: the test images; each is predicted in every fold.
    """
    pixels = sum(item.height * item.width for item in items)
    return classes * (pixels + folds * sum(item.height * item.width for item in tests))


class ShardWriter:
    """Writes a shard while a model predicts.

    A context manager: the shard and then its header take their names when the block ends well, and nothing is left of
    them when it does not.

    Args:
        path: the shard; its header is written to `paths.header_of(path)`.
        classes: their names, in the order of the channels.
        part: `oof` for out-of-fold images, `test` for test images.
    """

    def __init__(self, path: Path, *, classes: Sequence[str], part: Part, split_hash: str, fingerprint: str) -> None:
        self._path = path
        self._classes = tuple(classes)
        self._part: Part = part
        self._split_hash = split_hash
        self._fingerprint = fingerprint
        self._entries: dict[str, Entry] = {}
        self._digest = hashlib.sha256()
        self._crc32 = 0
        self._size = 0
        self._pixels = 0
        self._uncertain = 0
        self._open_files = ExitStack()
        self._file: IO[bytes]

    @property
    def sha256(self) -> str:
        """The sha256 of what has been written; of the whole shard once it is closed."""
        return self._digest.hexdigest()

    @property
    def uncertain_share(self) -> float:
        """The share of pixels, from 0 to 1, whose two best classes lie less than 1/255 apart."""
        return self._uncertain / self._pixels if self._pixels else 0.0

    def add(self, image_id: str, probabilities: Probabilities) -> None:
        """Append an image.

        Args:
            probabilities: float32 (C, H, W) that sum to 1 over the classes.

        Raises:
            ValueError: they are something else, or the image has been added before.
        """
        self._check(image_id, probabilities)
        data = quantise(probabilities).tobytes()
        height, width = probabilities.shape[1:]
        self._file.write(data)
        self._digest.update(data)
        self._crc32 = zlib.crc32(data, self._crc32)
        self._entries[image_id] = Entry(id=image_id, height=height, width=width, offset=self._size)
        self._size += len(data)
        self._pixels += height * width
        self._uncertain += _count_uncertain(probabilities)

    def __enter__(self) -> "ShardWriter":
        aside = self._open_files.enter_context(replacing(self._path))
        self._file = self._open_files.enter_context(aside.open("wb"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._open_files.__exit__(kind, error, traceback)
            return
        header_of(self._path).unlink(missing_ok=True)  # an old header must never describe the new shard
        self._open_files.close()
        archive_of(self._path).unlink(missing_ok=True)
        write_json(header_of(self._path), self._header().model_dump(mode="json"))

    def _header(self) -> Header:
        return Header(
            classes=self._classes,
            part=self._part,
            split_hash=self._split_hash,
            fingerprint=self._fingerprint,
            images=tuple(self._entries.values()),
            sha256=self.sha256,
            crc32=self._crc32,
            uncertain_share=self.uncertain_share,
        )

    def _check(self, image_id: str, probabilities: Probabilities) -> None:
        if image_id in self._entries:
            raise ValueError(f"{image_id} is in the shard already")
        if probabilities.ndim != 3 or probabilities.shape[0] != len(self._classes) or not probabilities.size:
            raise ValueError(f"{image_id}: shape {probabilities.shape}, not ({len(self._classes)}, H, W)")
        off = np.abs(probabilities.sum(axis=0) - 1).max()
        if not (off <= _SUM_TOLERANCE and probabilities.min() >= 0):
            raise ValueError(f"{image_id}: these are no probabilities (their sums are off by up to {off:.3g})")


def two_best(planes: NDArray[Number]) -> tuple[NDArray[Number], NDArray[Number]]:
    """The greatest and the second greatest value along the first axis of (C, ...), C at least 2; none is negative."""
    best, second = planes[0].copy(), np.zeros_like(planes[0])
    for plane in planes[1:]:
        np.maximum(second, np.minimum(best, plane), out=second)
        np.maximum(best, plane, out=best)
    return best, second


def _count_uncertain(probabilities: Probabilities) -> int:
    """The number of pixels whose two best classes are less than 1/255 apart."""
    best, second = two_best(probabilities)
    return int(np.count_nonzero(best - second < 1 / LEVELS))
