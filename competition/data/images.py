"""Image and mask files as arrays, at their own size or another."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from competition.errors import DataError
from competition.settings import IGNORE_INDEX

Pixels = NDArray[np.uint8]

_GREY_16_BIT = ("I;16", "I;16B", "I;16L", "I;16N", "I")
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)
"""What Pillow raises for files that are damaged, no images, or absurdly large."""


def read_image(path: Path) -> Pixels:
    """The image as uint8 RGB (H, W, 3), turned the way its EXIF orientation says.

    Grey becomes three equal channels, a palette its colours, 16 bits the upper 8; transparency is dropped.

    Raises:
        DataError: the file cannot be read; names it and why.
    """
    return decode_image(read_bytes(path), path)


def decode_image(data: bytes, path: Path) -> Pixels:
    """`read_image` for bytes that are in memory already; `path` names them in errors."""
    image = _open(data, path)
    if image.mode in _GREY_16_BIT:
        grey = np.asarray(image)
        if grey.min() < 0 or grey.max() > 65535:
            raise DataError(f"{path} holds values outside 0..65535; comp reads 8 and 16 bits.")
        return np.repeat((grey >> 8).astype(np.uint8)[..., None], 3, axis=2)
    if image.mode == "F":
        raise DataError(f"{path} holds floating-point values; comp reads 8 and 16 bits.")
    if "transparency" in image.info:
        image = image.convert("RGBA")  # Pillow warns where a palette with transparency loses it in one step
    return np.array(image.convert("RGB"))


def read_mask(path: Path) -> NDArray[np.integer]:
    """The mask's raw values (H, W), unchanged: indices where there is a palette, never colours.

    Raises:
        DataError: the file cannot be read, or is a colour picture; names it and why.
    """
    return decode_mask(read_bytes(path), path)


def decode_mask(data: bytes, path: Path) -> NDArray[np.integer]:
    """`read_mask` for bytes that are in memory already; `path` names them in errors."""
    image = _open(data, path)
    if image.mode in ("L", "P", *_GREY_16_BIT):
        return np.asarray(image)
    if image.mode == "1":
        return np.asarray(image).astype(np.uint8)
    if image.mode not in ("LA", "PA", "RGB", "RGBA"):
        raise DataError(f"{path} is no label map: comp cannot take class indices from an image of mode {image.mode}.")
    channels = np.asarray(image)
    colours = channels[..., :3] if image.mode.startswith("RGB") else channels[..., :1]
    if (colours != colours[..., :1]).any():
        raise DataError(f"{path} is a colour picture; a mask must hold one class index per pixel.")
    return colours[..., 0]


def count_values(raw: NDArray[np.integer]) -> dict[int, int]:
    """How many pixels hold each value that occurs."""
    if raw.dtype.itemsize <= 2 and raw.dtype.kind == "u":
        counts = np.bincount(raw.ravel())
        return {int(value): int(counts[value]) for value in counts.nonzero()[0]}
    values, times = np.unique(raw, return_counts=True)
    return dict(zip(values.tolist(), times.tolist(), strict=True))


def to_labels(raw: NDArray[np.integer], *, classes: int, void: int | None) -> Pixels:
    """Raw mask values as uint8 labels (H, W): class indices, and IGNORE_INDEX where the value is `void`.

    Raises:
        DataError: other values occur; names each with its number of pixels.
    """
    is_void = np.zeros(raw.shape, dtype=bool) if void is None else raw == void
    if ((raw < 0) | (raw >= classes))[~is_void].any():
        unknown = {v: n for v, n in count_values(raw).items() if v != void and not 0 <= v < classes}
        listed = ", ".join(f"{value} ({pixels} pixels)" for value, pixels in unknown.items())
        raise DataError(f"Mask values outside the classes 0..{classes - 1}: {listed}.")
    labels = raw.astype(np.uint8)
    labels[is_void] = IGNORE_INDEX
    return labels


def resize_image(image: Pixels, size: tuple[int, int]) -> Pixels:
    """An image (H, W, 3) at `size` (height, width): bilinear, averaged over the whole footprint when shrinking."""
    if image.shape[:2] == size:
        return image
    height, width = size
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def resize_labels(labels: Pixels, size: tuple[int, int]) -> Pixels:
    """Labels (H, W) at `size` (height, width): each pixel takes the nearest label, none is ever mixed."""
    if labels.shape == size:
        return labels
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(np.intp) for old, new in zip(labels.shape, size, strict=True)
    )
    resized: Pixels = labels[rows[:, None], columns]
    return resized


def read_bytes(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        DataError: it cannot be read; names it and why.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def _open(data: bytes, path: Path) -> Image.Image:
    """The decoded image, upright."""
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
        return ImageOps.exif_transpose(image)
    except _UNREADABLE as error:
        why = "it is empty" if not data else "it is damaged, or not an image"
        detail = "" if isinstance(error, UnidentifiedImageError) or not data else f" ({error})"
        raise DataError(f"{path} cannot be read: {why}{detail}.") from error
