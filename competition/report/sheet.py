"""Pictures on one sheet: tiles with an image and its mask, and galleries with a row for each image."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from competition.data.eda.examples import Example
from competition.data.images import Pixels
from competition.report.overlay import overlay, png_bytes, shrink_image, shrink_labels, thumbnail_uri
from competition.report.palette import Colour

LONGEST = 240
"""Longest side of a picture in a gallery, pixels."""

_GAP, _CAPTION, _COLUMNS = 8, 18, 2
_GALLERY_GAP, _GALLERY_CAPTION = 6, 16
_PAPER, _INK = (255, 255, 255), (31, 36, 48)


@dataclass(frozen=True)
class Tile:
    """One image of the sheet, plain and with its mask, both uint8 (H, W, 3) of one size."""

    id: str
    why: str
    plain: Pixels
    masked: Pixels

    @property
    def uri(self) -> str:
        """The image as an address that holds it."""
        return thumbnail_uri(self.plain)

    @property
    def masked_uri(self) -> str:
        """The image with its mask as an address that holds it."""
        return thumbnail_uri(self.masked)


def tiles(
    shown: Iterable[Example],
    load: Callable[[str], tuple[Pixels, Pixels]],
    colours: Sequence[Colour],
    *,
    clear: int | None = None,
) -> list[Tile]:
    """The tiles of the images `shown`.

    Args:
        load: the image (H, W, 3) and the labels (H, W) with an id.
        clear: the class whose pixels are shown as they are.
    """
    return [tile(image, *load(image.id), colours, clear) for image in shown]


def sheet_png(part: Sequence[Tile]) -> bytes:
    """Tiles on one white sheet with their ids below, as a PNG file."""
    height = max(tile.plain.shape[0] for tile in part)
    width = max(tile.plain.shape[1] for tile in part)
    cell_height, cell_width = height + _CAPTION + _GAP, 2 * width + 3 * _GAP
    rows = -(-len(part) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * cell_width, rows * cell_height + _GAP), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for number, tile in enumerate(part):
        top, left = number // _COLUMNS * cell_height + _GAP, number % _COLUMNS * cell_width + _GAP
        sheet.paste(Image.fromarray(tile.plain), (left, top))
        sheet.paste(Image.fromarray(tile.masked), (left + width + _GAP, top))
        pen.text((left, top + height + 2), _latin(f"{tile.id}  {tile.why}"), fill=_INK)
    return png_bytes(np.asarray(sheet))


def tile(shown: Example, image: Pixels, labels: Pixels, colours: Sequence[Colour], clear: int | None) -> Tile:
    """One tile; `clear` is the class whose pixels are shown as they are."""
    small = shrink_image(image)
    return Tile(shown.id, shown.why, small, overlay(small, shrink_labels(labels), colours, clear=clear))


def gallery(titles: Sequence[str], rows: Sequence[tuple[str, Sequence[Pixels]]]) -> bytes:
    """Rows of pictures, uint8 (H, W, 3), a column for each title, each row with its caption below, as a PNG file."""
    height = max(picture.shape[0] for _, pictures in rows for picture in pictures)
    width = max(picture.shape[1] for _, pictures in rows for picture in pictures)
    size = (
        len(titles) * (width + _GALLERY_GAP) + _GALLERY_GAP,
        _GALLERY_CAPTION + len(rows) * (height + _GALLERY_CAPTION + _GALLERY_GAP) + _GALLERY_GAP,
    )
    sheet = Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(sheet)
    for column, title in enumerate(titles):
        pen.text((_GALLERY_GAP + column * (width + _GALLERY_GAP), 2), _latin(title), fill=_INK)
    for row, (caption, pictures) in enumerate(rows):
        top = _GALLERY_CAPTION + _GALLERY_GAP + row * (height + _GALLERY_CAPTION + _GALLERY_GAP)
        for column, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(picture), (_GALLERY_GAP + column * (width + _GALLERY_GAP), top))
        pen.text((_GALLERY_GAP, top + height + 1), _latin(caption), fill=_INK)
    return png_bytes(np.asarray(sheet))


def _latin(text: str) -> str:
    """Pillow's own font knows no other letters."""
    return text.encode("latin-1", "replace").decode("latin-1")
