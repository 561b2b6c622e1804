"""Rows of pictures on one sheet: a column for each way of looking at an image, a line of text below each row."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from competition.data.images import Pixels
from competition.report.overlay import png_bytes

LONGEST = 240
"""Longest side of a picture on a sheet, pixels."""

_GAP, _CAPTION = 6, 16
_PAPER, _INK = (255, 255, 255), (31, 36, 48)


def gallery(titles: Sequence[str], rows: Sequence[tuple[str, Sequence[Pixels]]]) -> bytes:
    """Rows of pictures, uint8 (H, W, 3), a column for each title, each row with its caption below, as a PNG file."""
    height = max(picture.shape[0] for _, pictures in rows for picture in pictures)
    width = max(picture.shape[1] for _, pictures in rows for picture in pictures)
    size = (len(titles) * (width + _GAP) + _GAP, _CAPTION + len(rows) * (height + _CAPTION + _GAP) + _GAP)
    sheet = Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(sheet)
    for column, title in enumerate(titles):
        pen.text((_GAP + column * (width + _GAP), 2), latin(title), fill=_INK)
    for row, (caption, pictures) in enumerate(rows):
        top = _CAPTION + _GAP + row * (height + _CAPTION + _GAP)
        for column, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(picture), (_GAP + column * (width + _GAP), top))
        pen.text((_GAP, top + height + 1), latin(caption), fill=_INK)
    return png_bytes(np.asarray(sheet))


def latin(text: str) -> str:
    """Pillow's own font knows no other letters."""
    return text.encode("latin-1", "replace").decode("latin-1")
