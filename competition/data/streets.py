"""Made-up streets to throw litter on: textured ground under the light of the day."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float64]
Random = np.random.Generator


def smooth_noise(rng: Random, shape: tuple[int, ...], cells: int) -> Floats:
    """Soft random hills (H, W) in 0..1, about `cells` of them along each side."""
    small = Image.fromarray(rng.random((cells + 1, cells + 1), dtype=np.float32))
    large = np.asarray(small.resize((shape[1], shape[0]), Image.Resampling.BICUBIC), dtype=np.float64)
    return np.clip(large, 0, 1)


def colour_between(rng: Random, low: tuple[int, int, int], high: tuple[int, int, int]) -> Floats:
    """A colour (3,) on the way from one to the other, with a slight tint."""
    way = rng.random() + rng.normal(0, 0.08, 3)
    colour: Floats = np.array(low) + np.clip(way, 0, 1) * (np.array(high) - np.array(low))
    return colour


def per_channel(grey: NDArray[Any]) -> Floats:
    """An array (H, W), of numbers or of true and false, as (H, W, 1), to go with colours."""
    return np.expand_dims(np.asarray(grey, dtype=np.float64), axis=-1)


def make_street(rng: Random, shape: tuple[int, int]) -> Floats:
    """A piece of ground, RGB (H, W, 3) in 0..255, lit and shaded; another kind and another light every time."""
    ground = GROUNDS[int(rng.integers(len(GROUNDS)))](rng, shape)
    light = rng.uniform(0.6, 1.12) + rng.normal(0, 0.035) * np.array([1, 0.1, -1])
    return ground * light * per_channel(_shade(rng, shape))


def _asphalt(rng: Random, shape: tuple[int, int]) -> Floats:
    ground = _grained(rng, shape, rng.uniform(75, 115) + np.array([0, 1, 4]), grain=13)
    cracks = np.abs(smooth_noise(rng, shape, 5) - 0.5) < 0.008
    ground[cracks] *= 0.6
    if rng.random() < 0.5:
        across = _across(rng, shape)
        worn = rng.random(shape) < 0.85
        ground[(np.abs(across - np.median(across)) < rng.uniform(5, 9)) & worn] = 205
    return ground


def _paving(rng: Random, shape: tuple[int, int]) -> Floats:
    rows, columns = np.indices(shape)
    height, width = (int(side) for side in rng.integers((12, 16), (26, 44)))
    row = rows // height
    shifted = columns + (row % 2) * (width // 2)
    tone = rng.normal(0, 9, (shape[0] // height + 1, (shape[1] + width) // width + 1))
    ground = _grained(rng, shape, colour_between(rng, (125, 105, 95), (180, 168, 158)), grain=8)
    ground += tone[row, shifted // width][..., None]
    ground[(rows % height < 1) | (shifted % width < 1)] *= 0.68
    return ground


def _grass(rng: Random, shape: tuple[int, int]) -> Floats:
    blades = np.repeat(rng.normal(0, 1, (shape[0] // 4 + 1, shape[1])), 4, axis=0)[: shape[0]]
    base = colour_between(rng, (62, 88, 35), (98, 125, 58))
    blade: Floats = np.array([16.0, 20.0, 10.0])
    ground = _grained(rng, shape, base, grain=9) + per_channel(blades) * blade
    dry = per_channel(0.6 * np.clip(smooth_noise(rng, shape, 7) * 2.2 - 1.2, 0, 1))
    straw: Floats = np.array([150.0, 130.0, 85.0])
    return ground * (1 - dry) + dry * straw


def _sand(rng: Random, shape: tuple[int, int]) -> Floats:
    ripples = np.sin(_across(rng, shape) / rng.uniform(3, 6) + 5 * smooth_noise(rng, shape, 6))
    return _grained(rng, shape, colour_between(rng, (175, 152, 112), (208, 188, 150)), grain=9) + 7 * per_channel(
        ripples
    )


def _soil(rng: Random, shape: tuple[int, int]) -> Floats:
    ground = _grained(rng, shape, colour_between(rng, (85, 65, 45), (120, 98, 75)), grain=15)
    for _ in range(shape[0] * shape[1] // 500):
        row, column = rng.integers(shape)
        long, wide, turn = rng.uniform(3, 7), rng.uniform(1.5, 3), rng.uniform(0, np.pi)
        leaf = colour_between(rng, (105, 60, 15), (185, 140, 60))
        part = ground[max(row - 8, 0) : row + 8, max(column - 8, 0) : column + 8]
        y, x = np.indices(part.shape[:2])
        y, x = y - min(row, 8), x - min(column, 8)
        along, beside = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        part[(along / long) ** 2 + (beside / wide) ** 2 < 1] = leaf + rng.normal(0, 10)
    return ground


def _concrete(rng: Random, shape: tuple[int, int]) -> Floats:
    ground = _grained(rng, shape, rng.uniform(145, 195) + np.array([3, 1, -4]), grain=5)
    stains = np.clip(smooth_noise(rng, shape, 4) * 2 - 1, 0, 1)
    return ground * per_channel(1 - 0.35 * stains)


GROUNDS: tuple[Callable[[Random, tuple[int, int]], Floats], ...] = (_asphalt, _paving, _grass, _sand, _soil, _concrete)


def _grained(rng: Random, shape: tuple[int, int], colour: Floats, *, grain: float) -> Floats:
    """A colour with fine grain and broad patches."""
    patches = 18 * (smooth_noise(rng, shape, 5) - 0.5) + 14 * (smooth_noise(rng, shape, 17) - 0.5)
    return colour + per_channel(rng.normal(0, grain, shape) + patches)


def _across(rng: Random, shape: tuple[int, int]) -> Floats:
    """How far each pixel lies along a random direction, in pixels."""
    turn = rng.uniform(0, np.pi)
    rows, columns = np.indices(shape)
    distance: Floats = rows * np.sin(turn) + columns * np.cos(turn)
    return distance


def _shade(rng: Random, shape: tuple[int, int]) -> Floats:
    """The shadow of trees or of a wall, 0..1, soft at its edge."""
    hills = smooth_noise(rng, shape, int(rng.integers(2, 9))) + 0.12 * smooth_noise(rng, shape, 25)
    depth = rng.uniform(0, 0.45)
    return 1 - depth / (1 + np.exp((hills - 0.5) * 22))
