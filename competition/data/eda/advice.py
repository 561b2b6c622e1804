"""What the data suggests for training, each suggestion with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median_low

import numpy as np
from numpy.typing import NDArray

from competition.config.experiment import Config
from competition.config.fields import STRIDE
from competition.data.eda.appearance import NAMES
from competition.data.eda.classes import ClassFacts, median_frequency
from competition.data.eda.objects import ObjectFacts
from competition.data.eda.places import likeness

Floats = NDArray[np.float64]

_UNBALANCED = 3.0
_SYMMETRIC = 0.6
_VARIED = 2.0
_FITS = 512
_SMALL = 16
_GREY = 4.0


@dataclass(frozen=True)
class Advice:
    """One suggestion.

    Args:
        topic: what it is about: `class weights`, `crop`, `flips`, ….
        what: what to do.
        why: the numbers behind it.
        setting: `KEY=VALUE` for `comp run --set`, where a key of the configuration does it; else empty.
    """

    topic: str
    what: str
    why: str
    setting: str = ""


def advise(
    *,
    classes: Sequence[ClassFacts],
    objects: Sequence[ObjectFacts],
    sizes: NDArray[np.int64],
    maps: Floats,
    features: Floats,
    kinds: int,
    config: Config,
) -> tuple[Advice, ...]:
    """Every suggestion.

    Args:
        sizes: (N, 2), height and width of the labelled images.
        maps: (C, G, G), where each class lies.
        features: (S, F), how the images look.
        kinds: how many kinds the images fall into.
        config: the baseline; what it does already needs no command.
    """
    found = [
        _on_weights(classes),
        _on_size(classes, objects, sizes),
        _on_horizontal_flips(maps),
        _on_vertical_flips(maps),
        _on_scale(objects),
        _on_light(features),
        *_on_colour(features),
        *_on_kinds(kinds),
    ]
    done = {f"{key}={value}" for key, value in config.leaves().items()}
    return tuple(replace(advice, setting="") if advice.setting in done else advice for advice in found)


def _on_weights(classes: Sequence[ClassFacts]) -> Advice:
    present = [f for f in classes if f.pixels]
    shares = [f.share_where_present for f in present]
    if not present or max(shares) / min(shares) < _UNBALANCED:
        return Advice("class weights", "None needed", "Every class fills a similar share of the images it occurs in.")
    weights = median_frequency(present)
    rare = min(present, key=lambda f: f.share)
    common = max(present, key=lambda f: f.share)
    return Advice(
        "class weights",
        f"{weights.min():.2g} to {weights.max():.2g}, see the table of classes",
        f"{common.name} has {common.share / rare.share:,.0f} times the pixels of {rare.name}; median-frequency weights "
        "even that out. Try them against Dice loss, which balances by itself.",
        "loss.class_weights=median",
    )


def _on_size(classes: Sequence[ClassFacts], objects: Sequence[ObjectFacts], sizes: NDArray[np.int64]) -> Advice:
    height, width = (float(side) for side in np.median(sizes, axis=0))
    side = _typical_side(classes, objects)
    if max(height, width) <= _FITS:
        rounded = f"{_to_stride(height)}x{_to_stride(width)}"
        why = f"Images are {height:.0f}x{width:.0f}, small enough to be seen whole."
        if side is not None and side < _SMALL:
            why += f" The middle object of the smallest class is {side:.0f} pixels long: do not go smaller."
        return Advice("size", f"Whole images at {rounded}", why, f"data.size={rounded}")
    why = f"Images are {height:.0f}x{width:.0f}, and no class forms objects."
    if side is not None:
        why = (
            f"Images are {height:.0f}x{width:.0f}; the middle object of the smallest class is {side:.0f} pixels long "
            "and should keep its detail and four times as much of its surroundings."
        )
    crop = _crop(_FITS if side is None else 4 * side, shorter=min(height, width))
    return Advice("crop", f"{crop}x{crop} at full resolution", why)


def _crop(wanted: float, *, shorter: float) -> int:
    """The side of a crop near `wanted` pixels, that fits into the images and into the memory of a device."""
    largest = max(256, min(1024, int(shorter) // STRIDE * STRIDE))
    return int(np.clip(_to_stride(wanted), 256, largest))


def _typical_side(classes: Sequence[ClassFacts], objects: Sequence[ObjectFacts]) -> float | None:
    """The length of the middle object of the class with the smallest ones, pixels."""
    sides = [found.median_side for facts, found in zip(classes, objects, strict=True) if facts.images]
    return min((side for side in sides if side is not None), default=None)


def _on_horizontal_flips(maps: Floats) -> Advice:
    alike = likeness(maps, flipped=maps[:, :, ::-1])
    if alike >= _SYMMETRIC:
        why = f"Left and right halves hold the same classes in the same places ({alike:.0%} alike)."
        return Advice("horizontal flip", "Yes, half of the time", why, "augment.horizontal_flip=0.5")
    why = f"A flipped image puts the classes elsewhere ({alike:.0%} alike). Does that occur?"
    return Advice("horizontal flip", "Only after a look at the heat maps", why, "augment.horizontal_flip=0.0")


def _on_vertical_flips(maps: Floats) -> Advice:
    alike = likeness(maps, flipped=maps[:, ::-1, :])
    if alike >= _SYMMETRIC:
        why = f"Top and bottom hold the same classes ({alike:.0%} alike): there is no up in these images."
        return Advice("vertical flip", "Yes, half of the time", why, "augment.vertical_flip=0.5")
    why = f"There is a top and a bottom: upside down, the classes lie elsewhere ({alike:.0%} alike)."
    return Advice("vertical flip", "No", why, "augment.vertical_flip=0.0")


def _on_scale(objects: Sequence[ObjectFacts]) -> Advice:
    sides = [found.sides for found in objects if found.objects >= 10]
    if not sides:
        return Advice("scale", "Mild, 0.8 to 1.25", "Too few objects to measure how their size varies.")
    ratio = median_low(float(np.percentile(s, 75) / np.percentile(s, 25)) for s in sides)
    why = f"Among the objects of a class, the middle half differ in length by a factor of {ratio:.1f}."
    return Advice("scale", "Mild, 0.8 to 1.25" if ratio < _VARIED else "Strong, 0.5 to 2", why)


def _on_light(features: Floats) -> Advice:
    brightness = features[:, NAMES.index("brightness")]
    low, middle, high = np.percentile(brightness, [16, 50, 84])
    amount = float(np.clip(round((high - low) / 2 / max(middle, 1.0), 1), 0.1, 0.4))
    why = f"Two thirds of the images have a mean brightness of {low:.0f} to {high:.0f} of 255."
    return Advice("light", f"Brightness and contrast by ±{amount:.0%}", why, f"augment.brightness={amount}")


def _on_colour(features: Floats) -> list[Advice]:
    grey = float((features[:, NAMES.index("saturation")] < _GREY).mean())
    if grey > 0.95:
        return [Advice("colour", "No changes of hue or saturation", "The images are grey.")]
    if grey > 0.05:
        return [Advice("colour", "Turn some images grey", f"{grey:.0%} of the images are grey, the others are not.")]
    return []


def _on_kinds(kinds: int) -> list[Advice]:
    if kinds < 2:
        return []
    why = f"The images fall into {kinds} kinds. A score is worth more if you know it for each of them."
    return [Advice("kinds", "Every fold should hold every kind", why)]


def _to_stride(side: float) -> int:
    return max(STRIDE, round(side / STRIDE) * STRIDE)
