"""Advice for training that follows from the data, each with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median_low

import numpy as np
from numpy.typing import NDArray

from competition.config.experiment import Config
from competition.config.fields import STRIDE
from competition.data.eda.appearance import NAMES
from competition.data.eda.classes import ClassFacts, median_frequency
from competition.data.eda.heat_maps import similarity
from competition.data.eda.objects import ObjectFacts

Floats = NDArray[np.float64]

_UNBALANCED = 3.0
_SYMMETRIC = 0.6
_VARIED = 2.0
_FITS = 512
_SMALL = 16
_GREY = 4.0


@dataclass(frozen=True)
class Advice:
    """One piece of advice.

    Args:
        topic: the subject: `class weights`, `crop`, `vertical flip`, ….
        what: what to do.
        why: the numbers behind it.
        setting: `KEY=VALUE` for `comp run --set`; empty if no key of the configuration does it, or the baseline has it.
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
    """All advice.

    Args:
        sizes: (N, 2) height and width of the labelled images, pixels.
        maps: (C, G, G) heat maps of the classes.
        features: (S, F) the appearance of the images in the sample.
        kinds: the number of kinds of images.
        config: the baseline; advice that it follows already gets no command.
    """
    advice = [
        _on_weights(classes),
        _on_size(classes, objects, sizes),
        _on_horizontal_flips(maps),
        _on_vertical_flips(maps),
        _on_scale(objects),
        _on_light(features),
        *_on_colour(features),
        *_on_kinds(kinds),
    ]
    followed = {f"{key}={value}" for key, value in config.leaves().items()}
    return tuple(replace(a, setting="") if a.setting in followed else a for a in advice)


def _on_weights(classes: Sequence[ClassFacts]) -> Advice:
    present = [f for f in classes if f.pixels]
    shares = [f.share_where_present for f in present]
    if not present or max(shares) / min(shares) < _UNBALANCED:
        return Advice("class weights", "Not needed", "Every class has a similar share of the images that show it.")
    weights = median_frequency(present)
    rare = min(present, key=lambda f: f.share)
    common = max(present, key=lambda f: f.share)
    return Advice(
        "class weights",
        f"Try weights from {weights.min():.2g} to {weights.max():.2g} (see the table of classes)",
        f"{common.name} has {common.share / rare.share:,.0f} times as many pixels as {rare.name}. Median-frequency "
        "weights balance the classes. Compare with Dice loss, which balances them without weights.",
        "loss.class_weights=median",
    )


def _on_size(classes: Sequence[ClassFacts], objects: Sequence[ObjectFacts], sizes: NDArray[np.int64]) -> Advice:
    height, width = (float(side) for side in np.median(sizes, axis=0))
    side = _typical_side(classes, objects)
    if max(height, width) <= _FITS:
        rounded = f"{_to_stride(height)}x{_to_stride(width)}"
        why = f"Images are {height:.0f}x{width:.0f}: small enough to train on whole images."
        if side is not None and side < _SMALL:
            why += f" The smallest class has objects {side:.0f} pixels long (median): do not shrink the images."
        return Advice("size", f"Train on whole images at {rounded}", why, f"data.size={rounded}")
    why = f"Images are {height:.0f}x{width:.0f}, and no class has separate objects."
    if side is not None:
        why = (
            f"Images are {height:.0f}x{width:.0f}. The smallest class has objects {side:.0f} pixels long (median): "
            "they should keep their detail, and a crop should be four times as long."
        )
    crop = _crop(_FITS if side is None else 4 * side, shorter=min(height, width))
    return Advice("crop", f"Train on crops of {crop}x{crop} at full resolution", why)


def _crop(wanted: float, *, shorter: float) -> int:
    """The side of a crop near `wanted` pixels that fits into the images and into the memory of a device, pixels."""
    largest = max(256, min(1024, int(shorter) // STRIDE * STRIDE))
    return int(np.clip(_to_stride(wanted), 256, largest))


def _typical_side(classes: Sequence[ClassFacts], objects: Sequence[ObjectFacts]) -> float | None:
    """The median length of the objects of the class with the smallest ones, pixels; None if no class has objects."""
    sides = [of_class.median_side for facts, of_class in zip(classes, objects, strict=True) if facts.images]
    return min((side for side in sides if side is not None), default=None)


def _on_horizontal_flips(maps: Floats) -> Advice:
    similar = similarity(maps, flipped=maps[:, :, ::-1])
    if similar >= _SYMMETRIC:
        why = f"The left and the right half show the same classes in the same places ({similar:.0%} similar)."
        return Advice("horizontal flip", "Flip half of the images", why, "augment.horizontal_flip=0.5")
    why = f"In flipped images the classes are in other places ({similar:.0%} similar). Can such images occur?"
    return Advice("horizontal flip", "Look at the heat maps before you use it", why, "augment.horizontal_flip=0.0")


def _on_vertical_flips(maps: Floats) -> Advice:
    similar = similarity(maps, flipped=maps[:, ::-1, :])
    if similar >= _SYMMETRIC:
        why = f"The top and the bottom show the same classes ({similar:.0%} similar): these images have no upper side."
        return Advice("vertical flip", "Flip half of the images", why, "augment.vertical_flip=0.5")
    why = f"These images have a top and a bottom: upside down, the classes are in other places ({similar:.0%} similar)."
    return Advice("vertical flip", "Do not flip", why, "augment.vertical_flip=0.0")


def _on_scale(objects: Sequence[ObjectFacts]) -> Advice:
    sides = [of_class.sides for of_class in objects if of_class.objects >= 10]
    if not sides:
        return Advice("scale", "Mild, 0.8 to 1.25", "There are too few objects to measure how much their sizes vary.")
    ratio = median_low(float(np.percentile(s, 75) / np.percentile(s, 25)) for s in sides)
    why = f"In the typical class, the lengths of the middle half of the objects differ by a factor of {ratio:.1f}."
    return Advice("scale", "Mild, 0.8 to 1.25" if ratio < _VARIED else "Strong, 0.5 to 2", why)


def _on_light(features: Floats) -> Advice:
    brightness = features[:, NAMES.index("brightness")]
    low, middle, high = np.percentile(brightness, [16, 50, 84])
    amount = float(np.clip(round((high - low) / 2 / max(middle, 1.0), 1), 0.1, 0.4))
    why = f"Two thirds of the images have a mean brightness from {low:.0f} to {high:.0f} (of 255)."
    return Advice("light", f"Change brightness and contrast by ±{amount:.0%}", why, f"augment.brightness={amount}")


def _on_colour(features: Floats) -> list[Advice]:
    grey = float((features[:, NAMES.index("saturation")] < _GREY).mean())
    if grey > 0.95:
        return [Advice("colour", "Do not change hue or saturation", "The images are grey.")]
    if grey > 0.05:
        return [Advice("colour", "Make some images grey", f"{grey:.0%} of the images are grey, the others are not.")]
    return []


def _on_kinds(kinds: int) -> list[Advice]:
    if kinds < 2:
        return []
    why = f"There are {kinds} kinds of images. Scores tell more if every fold has all of them."
    return [Advice("kinds", "Put images of every kind into every fold", why)]


def _to_stride(side: float) -> int:
    return max(STRIDE, round(side / STRIDE) * STRIDE)
