"""A picture per image that says where it counts: the field of view of a microscope or an eye camera."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from competition.config.settings import IGNORE_INDEX, STEM
from competition.data.images import decode_mask, read_bytes
from competition.data.readers.listing import files_by_id
from competition.data.readers.source import Found, Labels, Reader
from competition.errors import DataError


@dataclass(frozen=True)
class IgnoringReader:
    """Another reader's labels, void where the picture in `folder` (the image's stem, or `pattern` with it) is 0."""

    reader: Reader
    folder: Path
    pattern: str = STEM

    def find(self) -> Found:
        """See `Reader`."""
        found = self.reader.find()
        problems: list[str] = []
        regions = files_by_id(self.folder, "ignore regions", problems)
        wanted = {source: self.pattern.replace(STEM, source.id) for source in found.labelled}
        if regions:
            problems += [
                f"The image {source.image} has no ignore region; it would be called {stem}."
                for source, stem in wanted.items()
                if stem not in regions
            ]
        labelled = tuple(
            replace(source, label_files=(*source.label_files, regions[stem]))
            for source, stem in wanted.items()
            if stem in regions
        )
        return Found(labelled, (*found.problems, *problems), found.notes)

    def read_labels(self, image_id: str, mask: str, *, size: tuple[int, int]) -> Labels:
        """See `Reader`."""
        labels = self.reader.read_labels(image_id, mask, size=size)
        path = _regions(self.folder, self.folder.stat().st_mtime_ns).get(self.pattern.replace(STEM, image_id))
        if path is None:
            raise DataError(f"The image {image_id} has no ignore region in {self.folder} (any more).")
        data = read_bytes(path)
        counts = decode_mask(data, path) != 0
        if counts.shape != labels.pixels.shape:
            region, label = ("x".join(map(str, array.shape)) for array in (counts, labels.pixels))
            raise DataError(f"The ignore region {path} is {region}, and its image {label} (height x width).")
        labels.pixels[~counts] = IGNORE_INDEX
        both = f"{labels.sha256} {hashlib.sha256(data).hexdigest()}"
        return replace(labels, sha256=hashlib.sha256(both.encode()).hexdigest())


@lru_cache(maxsize=2)
def _regions(folder: Path, changed: int) -> Mapping[str, Path]:
    """The pictures of the folder, listed once in a process for as long as none comes or goes."""
    return files_by_id(folder, "ignore regions", [])
