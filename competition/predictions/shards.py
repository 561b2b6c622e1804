"""Reading probability shards: each image mapped into memory, or taken out of an archive."""

import hashlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from competition.errors import DataError, retry_hint
from competition.paths import archive_of, header_of
from competition.predictions import archive
from competition.predictions.probabilities import Bytes, Entry, Header, Part

_RETRY = retry_hint()


@dataclass(frozen=True)
class Shard:
    """A shard to read from; `shard[image_id]` maps one image into memory.

    Args:
        classes: their names, in the order of the channels.
        sha256: of all images' bytes; `crc32` likewise, None where the shard is older than that checksum.
        uncertain_share: the share of pixels whose decision rounding could have changed.
    """

    path: Path
    classes: tuple[str, ...]
    part: Part
    split_hash: str
    fingerprint: str
    sha256: str
    crc32: int | None
    uncertain_share: float
    _entries: Mapping[str, Entry]
    _archive: archive.Archive | None = None

    @classmethod
    def open(cls, path: Path) -> "Shard":
        """The shard at `path` (or in its archive), its header read and checked against what is on disk.

        Raises:
            DataError: shard or header is missing, cut short, or damaged.
        """
        header = _read_header(path)
        if path.exists():
            size = path.stat().st_size
            if size != header.bytes:
                raise DataError(f"{path} has {size} bytes, and its header says {header.bytes}.", hint=_RETRY)
            archived = None
        else:
            archived = _open_archive(path, header)
        return cls(
            path=path,
            classes=header.classes,
            part=header.part,
            split_hash=header.split_hash,
            fingerprint=header.fingerprint,
            sha256=header.sha256,
            crc32=header.crc32,
            uncertain_share=header.uncertain_share,
            _entries={e.id: e for e in header.images},
            _archive=archived,
        )

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {image_id: number for number, image_id in enumerate(self._entries)}

    @property
    def is_archived(self) -> bool:
        """Whether it is read from its archive."""
        return self._archive is not None

    @property
    def disk_bytes(self) -> int:
        """What it takes on disk, without its header."""
        return (archive_of(self.path) if self.is_archived else self.path).stat().st_size

    @property
    def ids(self) -> tuple[str, ...]:
        """The images, in the order in which they were added."""
        return tuple(self._entries)

    @property
    def sizes(self) -> dict[str, tuple[int, int]]:
        """Height and width (pixels) of every image, by id."""
        return {e.id: (e.height, e.width) for e in self._entries.values()}

    def __contains__(self, image_id: object) -> bool:
        return image_id in self._entries

    def __getitem__(self, image_id: str) -> Bytes:
        """One image's probabilities as uint8 (C, H, W), read-only.

        Each image has a map of its own, so that memory is given back as soon as the caller drops it.

        Raises:
            DataError: the archive is damaged there.
        """
        entry = self._entries[image_id]
        shape = (len(self.classes), entry.height, entry.width)
        if self._archive is None:
            return np.memmap(self.path, dtype=np.uint8, mode="r", offset=entry.offset, shape=shape)
        try:
            return np.frombuffer(self._archive.read(self._numbers[image_id]), dtype=np.uint8).reshape(shape)
        except archive.DAMAGED as error:
            raise DataError(f"{archive_of(self.path)} is damaged at {image_id}: {error}.", hint=_RETRY) from error

    def verify(self) -> None:
        """Read the whole shard and compare its checksum with the header's.

        CRC-32 finds what disks and people do to a file by accident, and takes less than half the time of SHA-256, which
        tells one result from another. Shards from before it was stored are compared by their SHA-256.

        Raises:
            DataError: they differ.
        """
        digest, crc32 = hashlib.sha256(), 0
        for image_id in self.ids:
            if self.crc32 is None:
                digest.update(self[image_id].data)
            else:
                crc32 = zlib.crc32(self[image_id].data, crc32)
        if self.crc32 != crc32 if self.crc32 is not None else self.sha256 != digest.hexdigest():
            raise DataError(f"{self.path} has changed since it was written: its checksum is another.", hint=_RETRY)

    def archive(self, *, advance: Callable[[], None] = lambda: None) -> int:
        """Deflate it into its archive and remove it; how many bytes that freed. It must be opened anew afterwards.

        Args:
            advance: called after each image.

        Raises:
            DataError: its sha256 is another than when it was written; it stays as it is.
        """
        if self.is_archived:
            return 0
        place = archive_of(self.path)
        images = (self[image_id].tobytes() for image_id in self.ids)
        archive.write(place, images, sha256=self.sha256, advance=advance)
        freed = self.disk_bytes - place.stat().st_size
        self.path.unlink()
        return freed


def _open_archive(path: Path, header: Header) -> archive.Archive:
    place = archive_of(path)
    try:
        archived = archive.Archive(place)
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist; it may have been pruned.", hint=_RETRY) from error
    except archive.DAMAGED as error:
        raise DataError(f"{place} is damaged: {error}.", hint=_RETRY) from error
    if len(archived) != len(header.images):
        raise DataError(f"{place} holds {len(archived)} images, and its header {len(header.images)}.", hint=_RETRY)
    return archived


def _read_header(path: Path) -> Header:
    place = header_of(path)
    try:
        header = Header.model_validate_json(place.read_bytes())
    except FileNotFoundError as error:
        raise DataError(f"{place} does not exist, so {path.name} was never finished.", hint=_RETRY) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "JSON"
        raise DataError(f"{place} is damaged: {where}: {first['msg']}.", hint=_RETRY) from error
    expected = 0
    for entry in header.images:
        if entry.offset != expected:
            raise DataError(f"{place} is damaged: {entry.id} begins at {entry.offset}, not {expected}.", hint=_RETRY)
        expected += len(header.classes) * entry.height * entry.width
    if len({e.id for e in header.images}) != len(header.images):
        raise DataError(f"{place} is damaged: it lists an image twice.", hint=_RETRY)
    return header
