"""The shapes of a COCO file: polygons, and runs plain or compressed.

pycocotools draws the polygons, so that comp's masks are COCO's to the pixel. It does not unpack runs: version 2.0.11
writes past its memory when a compressed code is damaged, and the process dies (`free(): invalid pointer`).
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_CHARACTERS = 8
"""A run that takes more, 40 bits, belongs to no image."""


@dataclass(frozen=True)
class Shape:
    """What an object covers: polygons, each float64 (2P,) as x0 y0 x1 y1 …, or the lengths of runs.

    Args:
        runs: int64 (R,); pixels outside and inside the object in turn, down the columns from the left.
    """

    polygons: tuple[NDArray[np.float64], ...] = ()
    runs: NDArray[np.int64] | None = None

    @cached_property
    def sha256(self) -> str:
        """The identity of the shape."""
        parts = self.polygons if self.runs is None else (self.runs,)
        kind = "polygons" if self.runs is None else "runs"
        digest = hashlib.sha256(kind.encode())
        for part in parts:
            digest.update(len(part).to_bytes(8, "little") + part.astype(part.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()


def read_shape(raw: Any, size: tuple[int, int]) -> Shape:
    """The shape that the `segmentation` of an annotation describes.

    Args:
        size: the image's (height, width), pixels.

    Raises:
        ValueError: it is none, or none of an image of that size; says why.
    """
    if isinstance(raw, dict):
        return Shape(runs=_read_runs(raw, size))
    if not isinstance(raw, list) or not raw:
        raise ValueError("it has no segmentation")
    return Shape(polygons=tuple(_read_polygon(polygon, size) for polygon in raw))


def runs_of(shape: Shape, size: tuple[int, int]) -> NDArray[np.int64]:
    """The runs of a shape in an image of `size` (height, width): pixels outside and inside it in turn."""
    return _drawn(shape.polygons, size) if shape.runs is None else shape.runs


def covered(runs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the runs cover each pixel, as an array (width * height,): down the columns from the left."""
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs)


def _drawn(polygons: tuple[NDArray[np.float64], ...], size: tuple[int, int]) -> NDArray[np.int64]:
    from pycocotools import mask

    drawn = mask.frPyObjects([polygon.tolist() for polygon in polygons], *size)
    return _decompressed(mask.merge(drawn)["counts"].decode())


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
    if abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) < 1e-9:
        raise ValueError("a polygon has no area")
    return points


def _numbers(raw: Any) -> NDArray[np.float64]:
    try:
        found = np.asarray(raw if isinstance(raw, list) else None)
    except ValueError:  # lists of several lengths in a list
        found = np.asarray(None)
    if found.ndim != 1 or found.dtype.kind not in "iuf" or not np.isfinite(found).all():
        raise ValueError("a polygon must be a list of finite numbers")
    return found.astype(np.float64)


def _read_runs(raw: dict[str, Any], size: tuple[int, int]) -> NDArray[np.int64]:
    if raw.get("size") != list(size):
        raise ValueError(f"its runs are of an image of {raw.get('size')!r}, not {list(size)} (height, width)")
    counts, pixels = raw.get("counts"), size[0] * size[1]
    if isinstance(counts, str):
        runs = _decompressed(counts)
    elif isinstance(counts, list) and all(isinstance(run, int) and 0 <= run <= pixels for run in counts):
        runs = np.array(counts, dtype=np.int64)
    else:
        raise ValueError(f"the counts of its runs must be a list of whole numbers from 0 to {pixels}, or a text")
    if runs.min(initial=0) < 0 or runs.sum() != pixels:
        raise ValueError(f"its runs must add up to the {pixels} pixels of the image, and none be negative")
    return runs


def _decompressed(text: str) -> NDArray[np.int64]:
    """The runs in COCO's compressed form.

    5 bits a character, the lowest first, with one more bit to say that the number goes on. The fourth and later runs
    are told as differences to the last but one.
    https://github.com/cocodataset/cocoapi/blob/master/common/maskApi.c, rleFrString
    """
    codes = np.frombuffer(text.encode("utf-8"), dtype=np.uint8).astype(np.int64) - ord("0")
    ends = np.flatnonzero(codes & 32 == 0)
    if not len(codes) or codes.min() < 0 or codes.max() > 63 or ends[-1:].tolist() != [len(codes) - 1]:
        raise ValueError("the compressed counts of its runs are damaged")
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > _MOST_CHARACTERS:
        raise ValueError("the compressed counts of its runs are damaged")
    place = np.arange(len(codes)) - np.repeat(starts, lengths)
    runs = np.add.reduceat((codes & 31) << (5 * place), starts)
    runs -= np.where(codes[ends] & 16, 1 << (5 * lengths), 0)  # the last character carries the sign
    for every_other in (runs[1::2], runs[2::2]):
        np.cumsum(every_other, out=every_other)
    return runs
