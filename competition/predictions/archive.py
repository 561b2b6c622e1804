"""Archived probabilities: a ZIP file with one deflated member per image, read image by image like the shard itself.

The shard's header stays as it is: its sha256 is that of the bytes that come out.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from competition.errors import DataError
from competition.files import replacing

DAMAGED = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error)
"""What reading an archive raises that is cut short or altered."""


def write(path: Path, images: Iterator[bytes], *, sha256: str, advance: Callable[[], None]) -> None:
    """Write the images to `path`, deflated, if they have this sha256 one after another.

    Raises:
        DataError: they have another, so what is to be archived is damaged; nothing is written.
    """
    digest = hashlib.sha256()
    with replacing(path) as aside:
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for number, data in enumerate(images):
                digest.update(data)
                archive.writestr(_member(number), data)
                advance()
        if digest.hexdigest() != sha256:
            raise DataError(f"What was to become {path} has changed since it was written, so it stays as it is.")


class Archive:
    """An open archive; threads may share it.

    Raises:
        OSError, zipfile.BadZipFile: there is no archive at `path`, or it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._file = zipfile.ZipFile(path)

    def __len__(self) -> int:
        return len(self._file.namelist())

    def read(self, number: int) -> bytes:
        """The bytes of the image with this number.

        Raises:
            One of `DAMAGED`: they are not what was written (each member has a CRC-32).
        """
        return self._file.read(_member(number))


def _member(number: int) -> str:
    return str(number)
