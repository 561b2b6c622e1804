"""Image and mask files as arrays, at their own size or another."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from competition.errors import DataError

Pixels = NDArray[np.uint8]

_GREY_16_BIT = ("I;16", "I;16B", "I;16L", "I;16N", "I")
_SUFFIXES = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "MPO": (".jpg", ".jpeg"),  # what phones write: a JPEG with a second picture for depth
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "DIB": (".bmp",),
    "GIF": (".gif",),
    "WEBP": (".webp",),
}
_UNREADABLE = (OSError, SyntaxError, ValueError, TypeError, EOFError, Image.DecompressionBombError)
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
    image = _open_image(data, path)
    if image.mode in _GREY_16_BIT:
        return np.repeat((np.asarray(image) >> 8).astype(np.uint8)[..., None], 3, axis=2)
    if "transparency" in image.info:
        image = image.convert("RGBA")  # Pillow warns where a palette with transparency loses it in one step
    return np.array(image.convert("RGB"))


def measure_image(data: bytes, path: Path) -> tuple[int, int]:
    """The (height, width) of the image that `decode_image` would give, which it is made sure that it can.

    Faster, for those who do not want the pixels.
    """
    width, height = _open_image(data, path).size
    return height, width


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
        raise DataError(
            f"{path} is a colour picture; a mask must hold one class index per pixel, or --colors say what they mean."
        )
    return colours[..., 0]


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
        (2 * np.arange(new) + 1) * old // (2 * new)  # the centre of each new pixel, in old ones, without rounding
        for old, new in zip(labels.shape, size, strict=True)
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


def _open_image(data: bytes, path: Path) -> Image.Image:
    """The decoded image, upright, if it holds colours or grey of 8 or 16 bits."""
    image = _open(data, path)
    if image.mode in _GREY_16_BIT:
        grey = np.asarray(image)
        if grey.min() < 0 or grey.max() > 65535:
            raise DataError(f"{path} holds values outside 0..65535; comp reads 8 and 16 bits.")
    if image.mode == "F":
        raise DataError(f"{path} holds floating-point values; comp reads 8 and 16 bits.")
    return image


def _open(data: bytes, path: Path) -> Image.Image:
    """The decoded image, upright."""
    try:
        image: Image.Image = Image.open(io.BytesIO(data))
        _check_kind(image, path)
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return image
    except _UNREADABLE as error:
        why = "it is empty" if not data else "it is damaged, or not an image"
        detail = "" if isinstance(error, UnidentifiedImageError) or not data else f" ({error})"
        raise DataError(f"{path} cannot be read: {why}{detail}.") from error


def _check_kind(image: Image.Image, path: Path) -> None:
    """A file must be what its name says, and hold one picture.

    A JPEG named .png is most often a mask that lost its values to compression.
    """
    suffixes = _SUFFIXES.get(image.format or "", ())
    if path.suffix.lower() not in suffixes:
        mend = f"rename it to end in {suffixes[0]}" if suffixes else "comp does not read these; save it as PNG"
        raise DataError(f"{path} is a {image.format} file by its contents; {mend}.")
    frames = getattr(image, "n_frames", 1)
    if frames != 1 and image.format != "MPO":
        raise DataError(f"{path} holds {frames} pictures; comp reads files with one.")
