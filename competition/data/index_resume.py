"""A file that lets an interrupted `comp init` resume: it keeps the images indexed so far."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from competition.config.settings import Settings
from competition.data.manifest import Item
from competition.data.readers.source import Source
from competition.errors import DataError
from competition.files import sha256_of_json


class ResumeFile:
    """A line of JSON for each image that was indexed without problems. Threads may share it."""

    def __init__(self, indexed: Mapping[str, dict[str, Any]], file: TextIO | None) -> None:
        self._indexed = indexed
        self._file = file
        self._lock = threading.Lock()

    def find(self, key: str) -> Item | None:
        """The item that an earlier, interrupted index made of an image; None if it did not reach the image."""
        values = self._indexed.get(key)
        return None if values is None else Item(**{**values, "pixels": tuple(values["pixels"])})

    def add(self, key: str, item: Item) -> None:
        """Keep an item; does nothing with an empty key."""
        if self._file is not None and key:
            with self._lock:
                self._file.write(json.dumps({"key": key, "item": asdict(item)}) + "\n")


def key_of(source: Source) -> str:
    """A hash of the names, sizes and modification times of an image and its label files.

    It tells, without reading the files, that they are the same as before. Empty if a file is missing.
    """
    try:
        states = [(file, file.stat()) for file in (source.path, *source.label_files)]
    except OSError:
        return ""
    return sha256_of_json([source.id, source.mask, *([str(f), s.st_size, s.st_mtime_ns] for f, s in states)])


@contextmanager
def open_resume_file(path: Path | None, settings: Settings) -> Iterator[ResumeFile]:
    """The resume file at `path`; without a path, one that keeps nothing.

    A file of other settings is started again. The file remains if the block is interrupted, and is removed if the
    block ends or raises a DataError.
    """
    if path is None:
        yield ResumeFile({}, None)
        return
    settings_hash = sha256_of_json(settings.model_dump(mode="json"))
    indexed = _read(path, settings_hash)
    path.parent.mkdir(parents=True, exist_ok=True)
    ended = False
    with path.open("a" if indexed else "w", encoding="utf-8", buffering=1) as file:  # by line: a kill loses one image
        if not indexed:
            file.write(json.dumps({"about": settings_hash}) + "\n")
        try:
            yield ResumeFile(indexed, file)
            ended = True
        except DataError:
            ended = True
            raise
        finally:
            if ended:
                path.unlink()
                with suppress(OSError):  # the folders are not empty: they hold other files
                    for folder in (path.parent, path.parent.parent):
                        folder.rmdir()


def _read(path: Path, settings_hash: str) -> dict[str, dict[str, Any]]:
    """The items by key, if the file is of these settings; a last line that was cut off is ignored."""
    try:
        first, *lines = path.read_text(encoding="utf-8").splitlines()
        if json.loads(first) != {"about": settings_hash}:
            return {}
    except (OSError, ValueError):
        return {}
    indexed: dict[str, dict[str, Any]] = {}
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        indexed[entry["key"]] = entry["item"]
    return indexed
