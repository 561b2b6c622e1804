"""What a submission should look like, beyond its format."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from competition.scoring.confusion import Labels
from competition.submission.sample import Sample

Prediction = tuple[str, str, Labels]
"""A test image's id, its file name, and its label map, uint8 (H, W)."""

Colour = tuple[int, int, int]
Value = TypeVar("Value")

DEFAULT_SIZE = (256, 256)


@dataclass(frozen=True)
class Layout:
    """Everything that a writer may want to know.

    Args:
        classes: their names; class 0 is the background.
        images: the file name of every test image by its id.
        size: (height, width) of label maps in labels-csv.
        colours: RGB of each class by its name, for color-png.
        sample: a submission whose columns, ids and order are kept, for the CSV formats.
        image_numbers: the ids of test images in the competition's COCO file by file name, for coco-json.
        category_numbers: the ids of classes there by name, for coco-json.
    """

    classes: tuple[str, ...]
    images: Mapping[str, str] = field(default_factory=dict)
    size: tuple[int, int] = DEFAULT_SIZE
    colours: Mapping[str, Colour] = field(default_factory=dict)
    sample: Sample | None = None
    image_numbers: Mapping[str, int] = field(default_factory=dict)
    category_numbers: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_binary(self) -> bool:
        """Whether there is one class of object."""
        return len(self.classes) == 2

    @cached_property
    def ids(self) -> Mapping[str, str]:
        """The id of each image by its name in the sample, in the sample's order.

        Raises:
            DataError: the sample does not fit the test images.
        """
        return {} if self.sample is None else self.sample.match(self.images)


def in_order(values: Iterable[tuple[str, Value]], order: Iterable[str]) -> Iterator[tuple[str, Value]]:
    """Pairs of an id and a value in the order of the ids; those that come too early are kept until it is their turn."""
    coming = iter(values)
    early: dict[str, Value] = {}
    for image_id in order:
        while image_id not in early:
            came, value = next(coming)
            early[came] = value
        yield image_id, early.pop(image_id)


def parse_colour(text: str) -> Colour:
    """`#rrggbb` as RGB, 0..255."""
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue
