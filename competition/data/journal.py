"""What an index has looked at so far, kept on disk, so that one that was interrupted goes on where it was."""

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


class Journal:
    """A line of JSON for each image that was found to be in order. Threads may share it."""

    def __init__(self, known: Mapping[str, dict[str, Any]], file: TextIO | None) -> None:
        self._known = known
        self._file = file
        self._writing = threading.Lock()

    def find(self, key: str) -> Item | None:
        """What an earlier run found out about an image; None if it did not come so far."""
        known = self._known.get(key)
        return None if known is None else Item(**{**known, "pixels": tuple(known["pixels"])})

    def add(self, key: str, item: Item) -> None:
        """Remember an image."""
        if self._file is not None and key:
            with self._writing:
                self._file.write(json.dumps({"key": key, "item": asdict(item)}) + "\n")


def key_of(source: Source) -> str:
    """What tells whether an image and its label are still the same, short of reading them: sizes and times of change.

    Empty where a file is missing.
    """
    try:
        states = [(file, file.stat()) for file in (source.path, *source.label_files)]
    except OSError:
        return ""
    return sha256_of_json([source.id, source.mask, *([str(f), s.st_size, s.st_mtime_ns] for f, s in states)])


@contextmanager
def open_journal(path: Path | None, settings: Settings) -> Iterator[Journal]:
    """The journal in the file at `path`, which goes on if it is about the same settings; without a path, none.

    The file stays while the block is broken off, and is removed when it ends, or when a DataError ends it.
    """
    if path is None:
        yield Journal({}, None)
        return
    about = sha256_of_json(settings.model_dump(mode="json"))
    known = _read(path, about)
    path.parent.mkdir(parents=True, exist_ok=True)
    ended = False
    with path.open("a" if known else "w", encoding="utf-8", buffering=1) as file:
        if not known:
            file.write(json.dumps({"about": about}) + "\n")
        try:
            yield Journal(known, file)
            ended = True
        except DataError:
            ended = True
            raise
        finally:
            if ended:
                path.unlink()
                with suppress(OSError):  # they hold other things
                    for folder in (path.parent, path.parent.parent):
                        folder.rmdir()


def _read(path: Path, about: str) -> dict[str, dict[str, Any]]:
    """The lines of a journal about these settings; a last line that was cut off is passed over."""
    try:
        first, *lines = path.read_text(encoding="utf-8").splitlines()
        if json.loads(first) != {"about": about}:
            return {}
    except (OSError, ValueError):
        return {}
    known: dict[str, dict[str, Any]] = {}
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        known[entry["key"]] = entry["item"]
    return known
