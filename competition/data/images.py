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
    "MPO": (".jpg", ".jpeg"),  # written by phones: a JPEG with a second image, for depth
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "DIB": (".bmp",),
    "GIF": (".gif",),
    "WEBP": (".webp",),
}
_UNREADABLE = (OSError, SyntaxError, ValueError, TypeError, EOFError, Image.DecompressionBombError)
"""The errors of Pillow for files that are damaged, not images, or far too large."""


def read_image(path: Path) -> Pixels:
    """The image as uint8 RGB (H, W, 3), upright by its EXIF orientation.

    Grey becomes three equal channels, palette indices become colours, of 16 bits the upper 8 are kept; transparency is
    dropped.

    Raises:
        DataError: the file cannot be read; names the file and the reason.
    """
    return decode_image(read_bytes(path), path)


def decode_image(data: bytes, path: Path) -> Pixels:
    """`read_image` for bytes in memory; `path` is their name in errors."""
    image = _open_image(data, path)
    if image.mode in _GREY_16_BIT:
        # Pillow's own conversion clips at 255 instead of scaling, which would make nearly everything white.
        return np.repeat((np.asarray(image) >> 8).astype(np.uint8)[..., None], 3, axis=2)
    if "transparency" in image.info:
        image = image.convert("RGBA")  # without this step, Pillow warns about a palette with transparency
    return np.array(image.convert("RGB"))


def measure_image(data: bytes, path: Path) -> tuple[int, int]:
    """The (height, width) of the image that `decode_image` would return.

    Decodes the file, so damage is found, but skips the conversion to RGB.

    Raises:
        DataError: `decode_image` could not read it.
    """
    width, height = _open_image(data, path).size
    return height, width


def read_mask(path: Path) -> NDArray[np.integer]:
    """The raw values of a mask (H, W), unchanged; of a palette image the indices, not the colours.

    Raises:
        DataError: the file cannot be read, or is a colour image; names the file and the reason.
    """
    return decode_mask(read_bytes(path), path)


def decode_mask(data: bytes, path: Path) -> NDArray[np.integer]:
    """`read_mask` for bytes in memory; `path` is their name in errors."""
    image = _open(data, path)
    if image.mode in ("L", "P", *_GREY_16_BIT):  # of mode P, asarray gives the palette indices: the classes
        return np.asarray(image)
    if image.mode == "1":
        return np.asarray(image).astype(np.uint8)
    if image.mode not in ("LA", "PA", "RGB", "RGBA"):
        raise DataError(
            f"{path} cannot be a mask: a mask is grey, has a palette or is RGB, but this is of mode {image.mode}."
        )
    # Masks that were saved as RGB hold the index in three equal channels.
    channels = np.asarray(image)
    colours = channels[..., :3] if image.mode.startswith("RGB") else channels[..., :1]
    if (colours != colours[..., :1]).any():
        raise DataError(
            f"{path} is a colour image, but a mask holds one class index per pixel. If its colours stand for classes, "
            "list them: --colors FILE."
        )
    return colours[..., 0]


def resize_image(image: Pixels, size: tuple[int, int]) -> Pixels:
    """An image, uint8 (H, W, 3), at `size` (height, width): bilinear, and antialiased when it shrinks."""
    if image.shape[:2] == size:
        return image
    height, width = size
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def resize_labels(labels: Pixels, size: tuple[int, int]) -> Pixels:
    """Labels, uint8 (H, W), at `size` (height, width): each pixel takes the nearest label, labels are never mixed."""
    if labels.shape == size:
        return labels
    rows, columns = (
        (2 * np.arange(new) + 1) * old // (2 * new)  # centre of each new pixel in old pixels; in integers, so exact
        for old, new in zip(labels.shape, size, strict=True)
    )
    resized: Pixels = labels[rows[:, None], columns]
    return resized


def read_bytes(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        DataError: it cannot be read; names the file and the reason.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def _open_image(data: bytes, path: Path) -> Image.Image:
    """The decoded image, upright; only colours, or grey of 8 or 16 bits."""
    image = _open(data, path)
    if image.mode in _GREY_16_BIT:
        grey = np.asarray(image)  # mode I has 32 bits: Pillow uses it for some 16-bit files too
        if grey.min() < 0 or grey.max() > 65535:
            raise DataError(f"{path} holds values outside 0..65535, but comp reads 8 and 16 bits: save it as 16 bits.")
    if image.mode == "F":
        raise DataError(f"{path} holds floating-point values, but comp reads 8 and 16 bits: save it as 16 bits.")
    return image


def _open(data: bytes, path: Path) -> Image.Image:
    """The decoded image, upright."""
    try:
        image: Image.Image = Image.open(io.BytesIO(data))
        _check_kind(image, path)
        image.load()
        ImageOps.exif_transpose(image, in_place=True)  # cameras store photos unrotated, with the rotation in EXIF
        return image
    except _UNREADABLE as error:
        why = "it is empty" if not data else "it is damaged, or not an image"
        detail = "" if isinstance(error, UnidentifiedImageError) or not data else f" ({error})"
        raise DataError(f"{path} cannot be read: {why}{detail}.") from error


def _check_kind(image: Image.Image, path: Path) -> None:
    """Refuse a file whose suffix is wrong, or that holds several images.

    A JPEG with the suffix .png is most often a mask, whose values the compression has changed.
    """
    suffixes = _SUFFIXES.get(image.format or "", ())
    if path.suffix.lower() not in suffixes:
        fix = f"rename it to end in {suffixes[0]}" if suffixes else "comp cannot read these; save it as PNG"
        raise DataError(f"{path} has the contents of a {image.format} file: {fix}.")
    frames = getattr(image, "n_frames", 1)
    if frames != 1 and image.format != "MPO":
        raise DataError(f"{path} holds {frames} images, but comp reads files with one: save them as separate files.")
