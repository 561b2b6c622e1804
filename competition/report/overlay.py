"""Images with their masks drawn over them."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from competition.config.settings import IGNORE_INDEX
from competition.data.images import Pixels, resize_image, resize_labels
from competition.report.palette import VOID, Colour

THUMBNAIL = 320
"""Longest side of a picture on a page, pixels."""

_OPACITY = 0.5


def shrink_image(image: Pixels, *, longest: int = THUMBNAIL) -> Pixels:
    """An image (H, W, 3) at a size for the page; a small one is left as it is."""
    return resize_image(image, _small(image, longest))


def shrink_labels(labels: Pixels, *, longest: int = THUMBNAIL) -> Pixels:
    """Labels (H, W) at the size that `shrink_image` gives an image of their size."""
    return resize_labels(labels, _small(labels, longest))


def overlay(image: Pixels, labels: Pixels, colours: Sequence[Colour], *, clear: int | None = None) -> Pixels:
    """The image (H, W, 3) under its labels (H, W): each class in its colour, outlined where it meets another.

    Void is hatched. The pixels of the class `clear` are shown as they are.
    """
    table = np.zeros((256, 3), dtype=np.float32)
    table[: len(colours)] = colours
    table[IGNORE_INDEX] = VOID
    opacity = np.full(labels.shape, _OPACITY, dtype=np.float32)
    if clear is not None:
        opacity[labels == clear] = 0
    opacity[_edges(labels)] = 1.0
    rows, columns = np.indices(labels.shape)
    opacity[(labels == IGNORE_INDEX) & ((rows + columns) % 8 < 4)] = 0.85
    mixed = image * (1 - opacity[..., None]) + table[labels] * opacity[..., None]
    return np.rint(mixed).astype(np.uint8)


def faded(image: Pixels) -> Pixels:
    """The image (H, W, 3) in pale grey, for marks to stand out on."""
    grey = (128 + image.mean(axis=2) / 2).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def png_bytes(image: Pixels) -> bytes:
    """The image as a PNG file."""
    return _encoded(image, "PNG")


def data_uri(data: bytes, kind: str = "png") -> str:
    """Bytes of an image file as an address that holds them."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def thumbnail_uri(image: Pixels) -> str:
    """A photograph as an address that holds it, in JPEG: as a PNG it would be ten times as large."""
    return data_uri(_encoded(image, "JPEG", quality=85), "jpeg")


def _small(pixels: Pixels, longest: int) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    scale = min(1.0, longest / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _encoded(image: Pixels, form: str, **options: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, form, **options)
    return file.getvalue()


def _edges(labels: Pixels) -> NDArray[np.bool_]:
    """Where a pixel's right or lower neighbour has another label."""
    edges = np.zeros(labels.shape, dtype=bool)
    edges[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    edges[:-1] |= labels[:-1] != labels[1:]
    return edges
