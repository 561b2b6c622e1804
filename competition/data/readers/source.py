"""The types that all readers share: sources, listings and labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from competition.data.images import Pixels


@dataclass(frozen=True)
class Source:
    """One image, and the place of its label.

    Args:
        id: the stem of the image file; with its folders if a list names images in several (`batch_01/0001`).
        image: the image's path inside the images folder (inside the test images folder for a test image).
        path: the image file.
        mask: the name of the label for its reader (a file name, a row, an id in a JSON file); empty for a test image.
        label_files: every file that the label is read from.
    """

    id: str
    image: str
    path: Path
    mask: str = ""
    label_files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Listing:
    """The images that the data holds.

    Args:
        sources: the images that can be used.
        problems: everything that is wrong; with any, the data cannot be used.
        notes: facts that a person should know; they may be intended.
    """

    sources: tuple[Source, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Labels:
    """The label of one image.

    Args:
        pixels: uint8 (H, W), class indices, and IGNORE_INDEX for void.
        sha256: changes with everything that the label was read from.
        unknown: the number of pixels of each value without a meaning (`value 7`, `colour #ff8000`); they are void in
            `pixels`.
    """

    pixels: Pixels
    sha256: str
    unknown: Mapping[str, int] = field(default_factory=dict)


class Reader(Protocol):
    """A reader of one format of labels. Readers are immutable, so threads may share one."""

    def find(self) -> Listing:
        """The images that have a label, in natural order, and all problems with them.

        Raises:
            DataError: the file that lists them cannot be used at all.
        """
        ...

    def read_labels(self, image_id: str, mask: str, *, size: tuple[int, int]) -> Labels:
        """The label of an image.

        Args:
            mask: `Source.mask`.
            size: the image's (height, width), pixels. A label with a size of its own is returned at that size.

        Raises:
            DataError: the label cannot be read; names it and the reason.
        """
        ...
