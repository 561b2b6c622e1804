"""The manifest: one row per image, with its size, hashes and pixel counts, so that nobody has to open it again."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from competition.data.naming import natural_key
from competition.data.tables import damaged, read_table, write_table
from competition.errors import DataError, UnknownNameError
from competition.files import sha256_of_json

COLUMNS = (
    "part",
    "id",
    "image",
    "mask",
    "group",
    "height",
    "width",
    "image_sha256",
    "mask_sha256",
    "pixels",
    "void",
)
_FIX = "`comp init`, without options in the competition's folder, indexes the data again."


@dataclass(frozen=True)
class Item:
    """One image.

    Args:
        id: the stem of the image's file name.
        image: file name inside the images folder (inside the test images folder for a test image).
        mask: the name of the label for its reader (mostly a file inside the masks folder); empty for a test image.
        group: the video, patient or place of the image; empty if the data has no groups.
        height: pixels, of the image and of its mask.
        width: pixels, of the image and of its mask.
        pixels: (C,) number of pixels of each class; `()` for a test image.
        void: number of pixels that no score counts.
    """

    id: str
    image: str
    mask: str
    group: str
    height: int
    width: int
    image_sha256: str
    mask_sha256: str
    pixels: tuple[int, ...]
    void: int

    @property
    def is_labelled(self) -> bool:
        """True if the image has a mask; test images have none."""
        return bool(self.mask)


@dataclass(frozen=True)
class Manifest:
    """All images of a competition: labelled ones (`items`) and test images, in the natural order of their ids."""

    items: tuple[Item, ...]
    test: tuple[Item, ...] = ()

    def __post_init__(self) -> None:
        for part in ("items", "test"):
            in_order = tuple(sorted(getattr(self, part), key=lambda item: natural_key(item.id)))
            object.__setattr__(self, part, in_order)

    @cached_property
    def by_id(self) -> Mapping[str, Item]:
        """The labelled images by id. (A test image may have the id of a labelled one.)"""
        return {item.id: item for item in self.items}

    def item(self, image_id: str) -> Item:
        """The labelled image with this id.

        Raises:
            UnknownNameError: there is no such image.
        """
        if image_id not in self.by_id:
            raise UnknownNameError.among("labelled image", image_id, self.by_id)
        return self.by_id[image_id]

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with any image, mask or group, but not when a folder is moved."""
        rows = [
            (part, i.id, i.group, i.height, i.width, i.image_sha256, i.mask_sha256, i.pixels, i.void)
            for part, i in self._parts()
        ]
        return sha256_of_json(rows)[:16]

    def write(self, path: Path) -> None:
        """Write the manifest as CSV."""
        rows = [_row(part, item) for part, item in self._parts()]
        write_table(path, columns=COLUMNS, rows=rows, facts={"fingerprint": self.fingerprint})

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """The manifest that `write` wrote.

        Raises:
            DataError: the file is missing or damaged; names the line and what to do.
        """
        table = read_table(path, columns=COLUMNS, fix=_FIX)
        parts: dict[str, dict[str, Item]] = {"train": {}, "test": {}}
        for line, row in table.rows:
            try:
                part, item = _item(row)
            except ValueError as error:
                raise damaged(path, line, str(error), fix=_FIX) from error
            if item.id in parts[part]:
                raise damaged(path, line, f"the {part} image {item.id!r} occurs twice", fix=_FIX)
            parts[part][item.id] = item
        manifest = cls(tuple(parts["train"].values()), tuple(parts["test"].values()))
        if manifest.fingerprint != table.facts.get("fingerprint"):
            raise DataError(f"{path} is damaged: it was changed after it was written, or rows are gone.", hint=_FIX)
        return manifest

    def _parts(self) -> list[tuple[str, Item]]:
        return [("train", item) for item in self.items] + [("test", item) for item in self.test]


def _row(part: str, item: Item) -> tuple[object, ...]:
    return (
        part,
        item.id,
        item.image,
        item.mask,
        item.group,
        item.height,
        item.width,
        item.image_sha256,
        item.mask_sha256,
        " ".join(map(str, item.pixels)),
        item.void,
    )


def _item(row: list[str]) -> tuple[str, Item]:
    """The part and the image that a CSV row describes.

    Raises:
        ValueError: the row is not valid; says why.
    """
    part, image_id, image, mask, group, height, width, image_sha256, mask_sha256, pixels, void = row
    if part not in ("train", "test"):
        raise ValueError(f"part is {part!r}, not train or test")
    item = Item(
        id=image_id,
        image=image,
        mask=mask,
        group=group,
        height=int(height),
        width=int(width),
        image_sha256=image_sha256,
        mask_sha256=mask_sha256,
        pixels=tuple(int(count) for count in pixels.split()),
        void=int(void),
    )
    if item.is_labelled is not (part == "train"):
        raise ValueError("a train image has a mask, and a test image has none")
    if item.is_labelled and sum(item.pixels) + item.void != item.height * item.width:
        raise ValueError("the pixels of the classes do not add up to height x width")
    return part, item
