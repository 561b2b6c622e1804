"""Made-up pieces of street litter: what each class looks like.

A piece has an outline, points (P, 2) in its own frame, where both axes run from about -1 to 1 and the second one runs
along the piece; and paint, RGB (H, W, 3) in 0..255 as a function of the coordinates u and v (H, W) in that frame.
Classes overlap on purpose: paper, styrofoam and pale bags are all white, glass and plastic bottles share a shape.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.data.streets import colour_between, per_channel, smooth_noise

Floats = NDArray[np.float64]
Random = np.random.Generator


@dataclass(frozen=True)
class Kind:
    """One class of litter.

    Args:
        in_deck: pieces of this class among each deck of pieces dealt out; what makes classes common or rare.
        length: shortest and longest half-length, as a share of the image's shorter side.
        opacity: lowest and highest; below 1 the street shows through.
    """

    name: str
    in_deck: int
    length: tuple[float, float]
    outline: Callable[[Random], Floats]
    paint: Callable[[Random, Floats, Floats], Floats]
    opacity: tuple[float, float] = (1.0, 1.0)


def _blob(rng: Random, *, roughness: float, stretch: float = 0.8) -> Floats:
    """A closed wavy line."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    radius = np.ones(48)
    for wave in range(2, 9):
        radius += roughness / wave * rng.normal() * np.sin(wave * angle + rng.uniform(0, 2 * np.pi))
    return np.stack([stretch * radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _profile(half_widths: list[tuple[float, float]]) -> Floats:
    """A shape that is symmetric about its long axis, from pairs (v, half-width)."""
    right = np.array([(width, v) for v, width in half_widths])
    return np.concatenate([right, right[::-1] * (-1, 1)])


def _sheet(rng: Random) -> Floats:
    corners = np.array([(-0.75, -1), (0.75, -1), (0.75, 1), (-0.75, 1)])
    middles = (corners + np.roll(corners, -1, axis=0)) / 2
    points: Floats = np.stack([corners, middles], axis=1).reshape(-1, 2) + rng.normal(0, 0.12, (8, 2))
    return points


def _carton(rng: Random) -> Floats:
    width = rng.uniform(0.42, 0.6)
    return _profile([(1, width), (-0.5, width), (-0.8, width * 0.55), (-1, width * 0.55)])


def _can(rng: Random) -> Floats:
    width, dent = rng.uniform(0.5, 0.62), rng.uniform(0, 0.2)
    return _profile([(1, width * 0.8), (0.9, width), (0.1, width - dent), (-0.9, width), (-1, width * 0.8)])


def _glass_bottle(rng: Random) -> Floats:
    body, neck = rng.uniform(0.28, 0.36), rng.uniform(0.1, 0.13)
    return _profile([(1, body), (-0.1, body), (-0.4, neck * 1.3), (-1, neck)])


def _bottle_or_cup(rng: Random) -> Floats:
    if rng.random() < 0.3:
        return _profile([(1, 0.42), (-0.85, 0.62), (-0.87, 0.7), (-1, 0.7)])
    body, waist = rng.uniform(0.32, 0.42), rng.uniform(0.85, 1.0)
    return _profile([(1, body), (0.25, body), (0.1, body * waist), (-0.4, body), (-0.75, 0.16), (-1, 0.16)])


def _slab(rng: Random) -> Floats:
    half = rng.uniform(0.45, 0.8)
    points = np.array([(-half, -1), (half, -1), (half, 0.3), (half * 0.6, 1), (-half, 1)])
    return (points if rng.random() < 0.5 else points[:, ::-1]) + rng.normal(0, 0.08, (5, 2))


def _bag(rng: Random) -> Floats:
    body = _blob(rng, roughness=0.22, stretch=0.85)
    if rng.random() < 0.5:
        return body
    angle = np.linspace(0, 2 * np.pi, len(body), endpoint=False)
    handles = np.exp(-(((angle - 1.35 * np.pi) / 0.16) ** 2)) + np.exp(-(((angle - 1.65 * np.pi) / 0.16) ** 2))
    return body * per_channel(1 + 0.5 * handles)


def _cell(rng: Random) -> Floats:
    return _profile([(1, 0.36), (-0.86, 0.36), (-0.86, 0.14), (-1, 0.14)])


def _garment(rng: Random) -> Floats:
    if rng.random() < 0.5:
        return _blob(rng, roughness=0.3)
    shirt = _profile([(1, 0.55), (-0.3, 0.55), (0.0, 0.95), (-0.45, 1.0), (-1, 0.35), (-0.85, 0.12)])
    return shirt + rng.normal(0, 0.07, shirt.shape)


def _paint_trash(rng: Random, u: Floats, v: Floats) -> Floats:
    palette = rng.uniform((40, 35, 30), (170, 140, 120), (4, 3))
    patches: Floats = palette[(smooth_noise(rng, u.shape, 4) * 3.99).astype(int)]
    return patches + 50 * per_channel(_crumple(rng, u, v))


def _paint_paper(rng: Random, u: Floats, v: Floats) -> Floats:
    base = colour_between(rng, (215, 208, 185), (250, 248, 240)) + 45 * per_channel(_crumple(rng, u, v))
    if rng.random() < 0.5:
        written = (np.sin(v * rng.uniform(18, 26)) > 0.5) & (np.abs(u) < 0.55)
        base[written] -= 70
    return base


def _paint_carton(rng: Random, u: Floats, v: Floats) -> Floats:
    printed, plain = _vivid(rng), colour_between(rng, (200, 200, 195), (245, 245, 240))
    return _striped(v, printed, plain, at=rng.uniform(-0.3, 0.4)) - 28.0 * per_channel(u > 0.2)


def _paint_can(rng: Random, u: Floats, v: Floats) -> Floats:
    shine = 0.55 + 0.45 * np.cos(3.2 * np.pi * (u + rng.uniform(-0.2, 0.2))) * np.exp(-(u**2))
    silver = np.full((*u.shape, 3), 205.0)
    label = np.abs(v) < rng.uniform(0.4, 0.75)
    silver[label] = _vivid(rng) if rng.random() < 0.6 else (150, 155, 160)
    return silver * per_channel(0.45 + 0.75 * shine)


def _paint_glass(rng: Random, u: Floats, v: Floats) -> Floats:
    tint: Floats = rng.choice(np.array([(35.0, 85, 45), (95, 55, 20), (150, 175, 165)]))
    edge = np.clip(np.abs(u) / 0.34, 0, 1) ** 2
    return tint * per_channel(1.15 - 0.5 * edge) + _streak(u, -0.14, 170)


def _paint_plastic(rng: Random, u: Floats, v: Floats) -> Floats:
    clear = colour_between(rng, (165, 190, 205), (215, 230, 240)) - 35.0 * per_channel(np.sin(v * 22) > 0.6)
    label = (v > -0.35) & (v < rng.uniform(0.0, 0.3))
    clear[label], clear[v < -0.82] = _vivid(rng), _vivid(rng)
    return clear + _streak(u, 0.16, 50)


def _paint_foam(rng: Random, u: Floats, v: Floats) -> Floats:
    beads = rng.normal(0, 11, u.shape) + 22 * (smooth_noise(rng, u.shape, 9) - 0.5)
    return colour_between(rng, (225, 226, 225), (246, 248, 250)) + per_channel(beads - 25 * (v > 0.6))


def _paint_bag(rng: Random, u: Floats, v: Floats) -> Floats:
    colours = np.array([(235.0, 235, 238), (38, 38, 44), (70, 115, 190), (225, 200, 80), (205, 90, 100)])
    colour: Floats = rng.choice(colours, p=[0.4, 0.25, 0.15, 0.1, 0.1])
    wrinkles = np.abs(smooth_noise(rng, u.shape, 6) - smooth_noise(rng, u.shape, 5))
    return colour + per_channel(110 * (wrinkles - 0.2))


def _paint_battery(rng: Random, u: Floats, v: Floats) -> Floats:
    top, body = np.array((205, 140, 55)), rng.choice(np.array([(32, 32, 36), (30, 110, 60), (190, 40, 40)]))
    return _striped(v, top, body, at=-0.35) * per_channel(1.25 - 0.9 * np.abs(u))


def _paint_cloth(rng: Random, u: Floats, v: Floats) -> Floats:
    first, second = rng.uniform(25, 190, (2, 3))
    weave = np.sin(u * rng.uniform(9, 16)) + (np.sin(v * rng.uniform(9, 16)) if rng.random() < 0.4 else 0)
    woven = 0.2 if rng.random() < 0.6 else np.inf
    base: Floats = np.where(per_channel(weave > woven), second, first)
    return base + 60 * per_channel(_crumple(rng, u, v))


def _crumple(rng: Random, u: Floats, v: Floats) -> Floats:
    """Folds: a few random facets that catch the light differently, about -1 to 1."""
    folds = np.zeros_like(u)
    for _ in range(4):
        across = rng.normal(size=2)
        folds += 0.35 * np.sign(u * across[0] + v * across[1] + rng.normal(0, 0.4)) * rng.uniform(0.3, 1)
    return folds


def _striped(v: Floats, above: Floats, below: Floats, *, at: float) -> Floats:
    return np.where(per_channel(v < at), above, below).astype(np.float64)


def _streak(u: Floats, at: float, strength: float) -> Floats:
    """A highlight along the piece."""
    return strength * per_channel(np.exp(-(((u - at) / 0.05) ** 2)))


def _vivid(rng: Random) -> Floats:
    """A printed colour: one channel strong, one weak."""
    return rng.permutation([rng.uniform(170, 230), rng.uniform(60, 170), rng.uniform(20, 70)])


KINDS = (
    Kind("general trash", 8, (0.09, 0.20), lambda rng: _blob(rng, roughness=0.5), _paint_trash),
    Kind("paper", 12, (0.10, 0.22), _sheet, _paint_paper),
    Kind("paper pack", 6, (0.12, 0.21), _carton, _paint_carton),
    Kind("metal", 6, (0.10, 0.18), _can, _paint_can),
    Kind("glass", 4, (0.16, 0.29), _glass_bottle, _paint_glass, (0.75, 0.9)),
    Kind("plastic", 8, (0.15, 0.27), _bottle_or_cup, _paint_plastic, (0.6, 0.85)),
    Kind("styrofoam", 4, (0.11, 0.22), _slab, _paint_foam),
    Kind("plastic bag", 9, (0.14, 0.28), _bag, _paint_bag, (0.75, 0.97)),
    Kind("battery", 2, (0.09, 0.13), _cell, _paint_battery),
    Kind("clothing", 3, (0.18, 0.32), _garment, _paint_cloth),
)
"""The classes of litter in the order of their labels, which start at 1: 0 is the street."""
