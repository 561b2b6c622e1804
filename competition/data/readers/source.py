"""What every reader finds and gives: sources, and their labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from competition.data.images import Pixels


@dataclass(frozen=True)
class Source:
    """One image and where its label comes from.

    Args:
        id: the image's stem; where a list names images in several folders, with those (`batch_01/0001`).
        image: the image's path inside the images folder (inside the test images folder for a test image).
        path: where that file lies.
        mask: what its reader calls the label (a file name, a row, an image of a JSON file); empty for a test image.
        label_files: every file that the label is made of.
    """

    id: str
    image: str
    path: Path
    mask: str = ""
    label_files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Found:
    """What the data holds.

    Args:
        labelled: the images that have a label.
        problems: everything that is wrong; with one, the data cannot be used.
        notes: what a person should know and may be meant so.
    """

    labelled: tuple[Source, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Labels:
    """The label of one image.

    Args:
        pixels: uint8 (H, W): class indices, and IGNORE_INDEX where nothing counts.
        sha256: changes with everything that the label was made of.
        unknown: how many pixels hold each value that means nothing (`value 7`, `colour #ff8000`); they are void in
            `pixels`.
    """

    pixels: Pixels
    sha256: str
    unknown: Mapping[str, int] = field(default_factory=dict)


class Reader(Protocol):
    """A form that labels come in. Readers are immutable, so threads may share one."""

    def find(self) -> Found:
        """The images that have a label, in natural order, and what is wrong with them.

        Raises:
            DataError: the file that lists them cannot be used at all.
        """
        ...

    def read_labels(self, image_id: str, mask: str, *, size: tuple[int, int]) -> Labels:
        """The label that `mask` names.

        Args:
            size: the image's (height, width), pixels. A label that has a size of its own is given at that.

        Raises:
            DataError: it cannot be read; names it and why.
        """
        ...
