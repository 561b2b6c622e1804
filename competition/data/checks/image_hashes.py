"""Perceptual hashes of images: similar images have hashes that differ in few bits, whatever their file's bytes.

They are computed once, kept in `looks.csv` next to the manifest, and found again by the sha256 of the image file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from competition.config.settings import Settings
from competition.data.images import Pixels
from competition.data.load import Loader, open_loader
from competition.data.manifest import Item, Manifest
from competition.data.parallel import Progress, in_threads
from competition.data.tables import read_table, write_table
from competition.errors import DataError

BITS = 256
NEAR = 40
"""Two images are near-duplicates when at most this many of their 256 bits differ.

Measured on street scenes and on microscopy: resizing to half, JPEG at quality 60, gamma 0.8, 20 % more light, noise of
standard deviation 5 and a border cut by 1 % change at most 40 bits; images of different scenes differ in at least 90
(docs/explanation/splits.md has the table).
"""

COLUMNS = ("image_sha256", "hash", "constant", "flat")
METHOD = "the 16x16 lowest frequencies of 64x64 grey pixels against their median"
"""Stands in the header of the file. Hashes of another method are computed again, so this text must not change."""

_SIDE = 64
_FREQUENCIES = 16
_LEAST_RANGE = 4
_ROWS = 256
_CHUNK = 1024
"""Images hashed between two writes of the file: an interruption loses no more than that."""

HashArray = NDArray[np.uint8]
"""(N, 32): one hash a row, 8 bits a byte."""


@dataclass(frozen=True)
class ImageHash:
    """The perceptual hash of one image.

    Args:
        bits: 32 bytes, 8 bits each.
        constant: every pixel has the same colour.
        flat: the image shows almost nothing, so its hash means nothing.
    """

    bits: bytes
    constant: bool
    flat: bool


@dataclass(frozen=True)
class ImageHashes:
    """The hash of each image, by the sha256 of its file; images that are unreadable or have changed have none."""

    by_sha256: Mapping[str, ImageHash]

    def find(self, item: Item) -> ImageHash | None:
        """The hash of an image; None if it has none."""
        return self.by_sha256.get(item.image_sha256)

    def comparable(self, items: Sequence[Item]) -> list[int]:
        """The positions of the items whose hash means something: those with a hash that is not flat."""
        hashes = [self.find(item) for item in items]
        return [position for position, image_hash in enumerate(hashes) if image_hash and not image_hash.flat]

    def stack(self, items: Iterable[Item]) -> HashArray:
        """The hashes of items that have one, uint8 (N, 32)."""
        rows = [self.by_sha256[item.image_sha256].bits for item in items]
        return np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), BITS // 8)


def hash_image(image: Pixels) -> ImageHash:
    """The hash of an image, uint8 (H, W, 3).

    Zauner's (2010), with more bits: which of the 16x16 lowest frequencies of the grey image at 64x64 pixels lie above
    their median.
    """
    grey = Image.fromarray(image).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    small = np.asarray(grey, dtype=np.int64)
    cosines = _cosines()
    # Whole numbers only: with floats, rounding could differ between machines and flip a bit near the median.
    spectrum = (cosines @ small @ cosines.T).ravel()
    spectrum[0] = 0  # frequency 0 is the mean brightness, which must not matter
    above_median = spectrum > np.sort(spectrum)[BITS // 2]
    return ImageHash(
        bits=np.packbits(above_median).tobytes(),
        constant=bool((image == image[0, 0]).all()),
        flat=bool(small.max() - small.min() < _LEAST_RANGE),
    )


def hash_images(
    manifest: Manifest, settings: Settings, root: Path, file: Path, *, progress: Progress | None = None
) -> ImageHashes:
    """The hashes of all images, labelled and test.

    Args:
        file: keeps the hashes (`Paths.looks`); hashes that it lacks are computed on all cores and added to it.
    """
    hashes = _read(file)
    # By sha256, so that equal files are decoded once.
    missing = list(
        {i.image_sha256: i for i in (*manifest.items, *manifest.test) if i.image_sha256 not in hashes}.values()
    )
    hash_item = partial(_hash_item, open_loader(settings, root))
    for start in range(0, len(missing), _CHUNK):
        chunk = missing[start : start + _CHUNK]
        new = in_threads(hash_item, chunk, progress=_shifted(progress, start, len(missing)))
        hashes |= {item.image_sha256: image_hash for item, image_hash in zip(chunk, new, strict=True) if image_hash}
        _write(file, hashes)
    return ImageHashes(hashes)


def distances(first: HashArray, second: HashArray) -> NDArray[np.int64]:
    """The number of differing bits of each pair of rows, int64 (N,), for two arrays (N, 32)."""
    differing: NDArray[np.int64] = np.bitwise_count(first ^ second).sum(axis=-1, dtype=np.int64)
    return differing


def near_pairs(hashes: HashArray) -> NDArray[np.int64]:
    """The pairs of rows i < j that differ in at most NEAR bits, in order, int64 (P, 2).

    Every pair is compared: 10,000 images take about a second on one core.
    """
    words = np.ascontiguousarray(hashes).view(np.uint64).T.copy()  # (4, N): four 64-bit words a hash
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, len(hashes), _ROWS):  # in blocks: all N x N distances at once would not fit into memory
        block, others = words[:, start : start + _ROWS, None], words[:, None, start:]
        differing = np.zeros((block.shape[1], others.shape[2]), dtype=np.uint16)
        for left, right in zip(block, others, strict=True):
            differing += np.bitwise_count(left ^ right)
        rows, columns = (differing <= NEAR).nonzero()
        later = columns > rows
        pairs.append(start + np.stack([rows[later], columns[later]], axis=1).astype(np.int64))
    return np.concatenate(pairs)


def _cosines() -> NDArray[np.int64]:
    """The lowest 16 rows of the discrete cosine transform of 64 values, times 2**12 and rounded, int64 (16, 64)."""
    frequency = np.arange(_FREQUENCIES)[:, None]
    position = np.arange(_SIDE)[None, :]
    cosines: NDArray[np.int64] = np.rint(4096 * np.cos(np.pi * frequency * (2 * position + 1) / 128)).astype(np.int64)
    return cosines


def _hash_item(loader: Loader, item: Item) -> ImageHash | None:
    try:
        return hash_image(loader.image(item))
    except DataError:
        return None  # the check for changed files reports it


def _read(file: Path) -> dict[str, ImageHash]:
    """The hashes in a file; none if it is missing, damaged or of another method: they can be computed again."""
    try:
        table = read_table(file, columns=COLUMNS, fix="")
        if table.facts.get("method") != METHOD:
            return {}
        return {
            sha256: ImageHash(bytes.fromhex(bits), constant == "1", flat == "1")
            for _, (sha256, bits, constant, flat) in table.rows
            if len(bits) == 64
        }
    except (DataError, ValueError):
        return {}


def _write(file: Path, hashes: Mapping[str, ImageHash]) -> None:
    rows = [(sha256, h.bits.hex(), int(h.constant), int(h.flat)) for sha256, h in sorted(hashes.items())]
    write_table(file, columns=COLUMNS, rows=rows, facts={"method": METHOD})


def _shifted(progress: Progress | None, start: int, total: int) -> Progress | None:
    """The progress of one chunk, reported as progress of the whole."""
    return None if progress is None else lambda done, _: progress(start + done, total)
