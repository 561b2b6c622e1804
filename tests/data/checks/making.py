"""Images and hashes for the checks."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from competition.data.checks.duplicates import ImagePair, NearDuplicates
from competition.data.checks.image_hashes import ImageHash, ImageHashes
from competition.data.checks.image_scan import ImageScan
from competition.data.checks.series import Series
from competition.data.manifest import Manifest


def picture(seed: int, *, side: int = 96) -> NDArray[np.uint8]:
    """Soft random hills, which a hash takes for a photo."""
    small = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC))


def video(frames: int, *, step: int = 2, side: int = 64, seed: int = 0) -> list[NDArray[np.uint8]]:
    """A camera that moves over a landscape, `step` pixels a frame."""
    land = np.random.default_rng(seed).integers(0, 256, (8, 8 + frames * step // 8 + 8, 3), dtype=np.uint8)
    wide = np.asarray(Image.fromarray(land).resize((land.shape[1] * 8, 64), Image.Resampling.BICUBIC))
    return [wide[:, k * step : k * step + side] for k in range(frames)]


def image_hash(ones: int, *, constant: bool = False, flat: bool = False) -> ImageHash:
    """A hash with this many bits set, from the first on."""
    bits = np.zeros(256, np.uint8)
    bits[:ones] = 1
    return ImageHash(np.packbits(bits).tobytes(), constant, flat)


def hashes_of(manifest: Manifest, hashes: list[ImageHash | None]) -> ImageHashes:
    """Hashes for the items and then the test images of a manifest; None for an image without one."""
    items = [*manifest.items, *manifest.test]
    return ImageHashes({i.image_sha256: h for i, h in zip(items, hashes, strict=True) if h is not None})


def scan_of(manifest: Manifest, *, pairs: tuple[ImagePair, ...] = (), series: tuple[Series, ...] = ()) -> ImageScan:
    """A scan that found these pairs of labelled images and these series."""
    return ImageScan(manifest, ImageHashes({}), NearDuplicates(pairs, ()), series)
