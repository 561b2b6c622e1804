"""Pictures and looks for the checks."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from competition.data.checks.hashes import Look
from competition.data.checks.looks import Looks
from competition.data.manifest import Manifest


def picture(seed: int, *, side: int = 96) -> NDArray[np.uint8]:
    """Soft random hills: a picture as far as a hash can tell."""
    small = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC))


def film(frames: int, *, step: int = 2, side: int = 64, seed: int = 0) -> list[NDArray[np.uint8]]:
    """A camera that moves over a landscape, `step` pixels a frame."""
    land = np.random.default_rng(seed).integers(0, 256, (8, 8 + frames * step // 8 + 8, 3), dtype=np.uint8)
    wide = np.asarray(Image.fromarray(land).resize((land.shape[1] * 8, 64), Image.Resampling.BICUBIC))
    return [wide[:, k * step : k * step + side] for k in range(frames)]


def look(hashed: int, *, constant: bool = False, flat: bool = False) -> Look:
    """A look whose hash has this many bits set, from the first on."""
    bits = np.zeros(256, np.uint8)
    bits[:hashed] = 1
    return Look(np.packbits(bits).tobytes(), constant, flat)


def looks_of(manifest: Manifest, looks: list[Look | None]) -> Looks:
    """Looks for the items and then the test images of a manifest; None where a look is unknown."""
    items = [*manifest.items, *manifest.test]
    return Looks({i.image_sha256: made for i, made in zip(items, looks, strict=True) if made is not None})
