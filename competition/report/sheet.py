"""The contact sheet: images beside the same images with their masks drawn over them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from competition.data.eda.examples import Example
from competition.data.images import Pixels
from competition.report.overlay import overlay, png_bytes, shrink_image, shrink_labels, thumbnail_uri
from competition.report.palette import Colour

_GAP = 8
_CAPTION = 18
_COLUMNS = 2
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
        caption = f"{tile.id}  {tile.why}".encode("latin-1", "replace").decode("latin-1")
        pen.text((left, top + height + 2), caption, fill=_INK)
    return png_bytes(np.asarray(sheet))


def tile(shown: Example, image: Pixels, labels: Pixels, colours: Sequence[Colour], clear: int | None) -> Tile:
    """One tile; `clear` is the class whose pixels are shown as they are."""
    small = shrink_image(image)
    return Tile(shown.id, shown.why, small, overlay(small, shrink_labels(labels), colours, clear=clear))
