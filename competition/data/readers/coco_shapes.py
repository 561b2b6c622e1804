"""The shapes of objects in a COCO file: polygons, and RLE (run lengths), plain or compressed.

pycocotools draws the polygons, so that comp's masks equal COCO's to the pixel. It does not decompress RLE: version
2.0.11 writes past its memory if a compressed RLE is damaged, and the process dies (`free(): invalid pointer`).
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_CHARACTERS = 8
"""A run length with more characters, 40 bits, is larger than any image."""


@dataclass(frozen=True)
class Shape:
    """The area of an object: polygons, or an RLE.

    Args:
        polygons: each float64 (2P,), x0 y0 x1 y1 …, pixels.
        rle: int64 (R,), lengths of runs outside and inside the object in turn, down the columns from the left.
    """

    polygons: tuple[NDArray[np.float64], ...] = ()
    rle: NDArray[np.int64] | None = None

    @cached_property
    def sha256(self) -> str:
        """A hash of the shape, the same on every machine."""
        parts = self.polygons if self.rle is None else (self.rle,)
        kind = "polygons" if self.rle is None else "runs"  # "runs" stands in the hashes of old manifests
        digest = hashlib.sha256(kind.encode())
        for part in parts:
            digest.update(len(part).to_bytes(8, "little") + part.astype(part.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()


def read_shape(raw: Any, size: tuple[int, int]) -> Shape:
    """The shape in the `segmentation` of an annotation.

    Args:
        size: the image's (height, width), pixels.

    Raises:
        ValueError: it is not a shape, or not one in an image of that size; says why.
    """
    if isinstance(raw, dict):
        return Shape(rle=_read_rle(raw, size))
    if not isinstance(raw, list) or not raw:
        raise ValueError("it has no segmentation")
    return Shape(polygons=tuple(_read_polygon(polygon, size) for polygon in raw))


def rle_of_shape(shape: Shape, size: tuple[int, int]) -> NDArray[np.int64]:
    """The RLE of a shape in an image of `size` (height, width), as in `Shape.rle`."""
    return _draw(shape.polygons, size) if shape.rle is None else shape.rle


def inside_of(rle: NDArray[np.int64]) -> NDArray[np.bool_]:
    """True for each pixel inside, bool (width * height,), down the columns from the left."""
    return np.repeat(np.arange(len(rle)) % 2 == 1, rle)


def _draw(polygons: tuple[NDArray[np.float64], ...], size: tuple[int, int]) -> NDArray[np.int64]:
    from pycocotools import mask

    rles = mask.frPyObjects([polygon.tolist() for polygon in polygons], *size)
    return _decompress(mask.merge(rles)["counts"].decode())


def _read_polygon(raw: Any, size: tuple[int, int]) -> NDArray[np.float64]:
    points = _numbers(raw)
    if len(points) < 6 or len(points) % 2:
        raise ValueError(f"a polygon needs at least 3 pairs of x and y, not {len(points)} numbers")
    x, y = points[::2], points[1::2]
    height, width = size
    if max(x.min() - width, -x.max(), y.min() - height, -y.max()) >= 0:
        raise ValueError(f"a polygon lies outside the image of {height}x{width} (height x width)")
    if max(-x.min(), x.max() - width) > width or max(-y.min(), y.max() - height) > height:
        raise ValueError(f"a polygon reaches far outside the image of {height}x{width} (height x width)")
    # Twice the area, by the shoelace formula.
    if abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) < 1e-9:
        raise ValueError("a polygon has no area")
    return points


def _numbers(raw: Any) -> NDArray[np.float64]:
    try:
        numbers = np.asarray(raw if isinstance(raw, list) else None)
    except ValueError:  # numpy refuses a list of lists of different lengths
        numbers = np.asarray(None)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iuf" or not np.isfinite(numbers).all():
        raise ValueError("a polygon must be a list of finite numbers")
    return numbers.astype(np.float64)


def _read_rle(raw: dict[str, Any], size: tuple[int, int]) -> NDArray[np.int64]:
    if raw.get("size") != list(size):
        raise ValueError(f"its RLE has the size {raw.get('size')!r}, but the image has {list(size)} (height, width)")
    counts, pixels = raw.get("counts"), size[0] * size[1]
    if isinstance(counts, str):
        rle = _decompress(counts)
    elif isinstance(counts, list) and all(isinstance(run, int) and 0 <= run <= pixels for run in counts):
        rle = np.array(counts, dtype=np.int64)
    else:
        raise ValueError(f"the counts of its RLE must be a list of whole numbers from 0 to {pixels}, or a text")
    if rle.min(initial=0) < 0 or rle.sum() != pixels:
        raise ValueError(f"the counts of its RLE must be 0 or more, and add up to the {pixels} pixels of the image")
    return rle


def _decompress(text: str) -> NDArray[np.int64]:
    """The run lengths in COCO's compressed form, int64 (R,).

    Each character holds 5 bits of a number, the lowest first, and a sixth bit that says whether the number continues.
    From the fourth run on, the numbers are differences to the run before the last.
    https://github.com/cocodataset/cocoapi/blob/master/common/maskApi.c, rleFrString
    """
    codes = np.frombuffer(text.encode("utf-8"), dtype=np.uint8).astype(np.int64) - ord("0")
    ends = np.flatnonzero(codes & 32 == 0)
    if not len(codes) or codes.min() < 0 or codes.max() > 63 or ends[-1:].tolist() != [len(codes) - 1]:
        raise ValueError("the compressed counts of its RLE are damaged")
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > _MOST_CHARACTERS:
        raise ValueError("the compressed counts of its RLE are damaged")
    position = np.arange(len(codes)) - np.repeat(starts, lengths)
    rle = np.add.reduceat((codes & 31) << (5 * position), starts)
    rle -= np.where(codes[ends] & 16, 1 << (5 * lengths), 0)  # the highest bit of the last character is the sign
    for every_second in (rle[1::2], rle[2::2]):  # views: the sums go into rle itself
        np.cumsum(every_second, out=every_second)
    return rle
