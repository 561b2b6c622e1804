"""Ignore masks: for each image a second mask, 0 where no score counts, such as outside a camera's field of view."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from competition.config.settings import IGNORE_INDEX, STEM
from competition.data.images import decode_mask, read_bytes
from competition.data.readers.listing import files_by_id
from competition.data.readers.source import Labels, Listing, Reader
from competition.errors import DataError


@dataclass(frozen=True)
class IgnoringReader:
    """The labels of another reader, void where the ignore mask is 0.

    Args:
        folder: the ignore masks.
        pattern: their stems; {stem} stands for the stem of the image.
    """

    reader: Reader
    folder: Path
    pattern: str = STEM

    def find(self) -> Listing:
        """See `Reader`."""
        listing = self.reader.find()
        problems: list[str] = []
        ignore_masks = files_by_id(self.folder, "ignore masks", problems)
        stem_of = {source: self.pattern.replace(STEM, source.id) for source in listing.sources}
        if ignore_masks:
            problems += [
                f"The image {source.image} has no ignore mask (expected: {stem} with the suffix of an image)."
                for source, stem in stem_of.items()
                if stem not in ignore_masks
            ]
        sources = tuple(
            replace(source, label_files=(*source.label_files, ignore_masks[stem]))
            for source, stem in stem_of.items()
            if stem in ignore_masks
        )
        return Listing(sources, (*listing.problems, *problems), listing.notes)

    def read_labels(self, image_id: str, mask: str, *, size: tuple[int, int]) -> Labels:
        """See `Reader`."""
        labels = self.reader.read_labels(image_id, mask, size=size)
        path = _ignore_masks(self.folder, self.folder.stat().st_mtime_ns).get(self.pattern.replace(STEM, image_id))
        if path is None:
            raise DataError(f"The image {image_id} has no ignore mask in {self.folder} any more.")
        data = read_bytes(path)
        counts = decode_mask(data, path) != 0
        if counts.shape != labels.pixels.shape:
            size_of_mask, size_of_image = ("x".join(map(str, array.shape)) for array in (counts, labels.pixels))
            raise DataError(
                f"The ignore mask {path} is {size_of_mask}, but its image is {size_of_image} (height x width)."
            )
        labels.pixels[~counts] = IGNORE_INDEX
        both = f"{labels.sha256} {hashlib.sha256(data).hexdigest()}"
        return replace(labels, sha256=hashlib.sha256(both.encode()).hexdigest())


@lru_cache(maxsize=2)
def _ignore_masks(folder: Path, changed: int) -> Mapping[str, Path]:
    """The files of the folder by id, listed once in a process as long as no file is added or removed."""
    return files_by_id(folder, "ignore masks", [])
