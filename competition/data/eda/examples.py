"""Example images for people to look at: typical ones, those with rare classes, and those that look wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.data.eda.appearance import FEATURES, NAMES
from competition.data.manifest import Item

Floats = NDArray[np.float64]

_TYPICAL = 6
_RARE_CLASSES = 3
_EACH_RARE = 2
_SUSPICIOUS = 8

_FEW, _FEW_SHARE = 3, 0.02
_FLAT = 2.0
_MOSTLY_VOID = 0.5
_FAR_OFF = 6.0
"""Deviations from the median, in units of the scaled median absolute deviation."""


@dataclass(frozen=True)
class Example:
    """An image, and the reason to show it."""

    id: str
    why: str


@dataclass(frozen=True)
class Examples:
    """The images of the contact sheet."""

    typical: tuple[Example, ...]
    rare: tuple[Example, ...]
    suspicious: tuple[Example, ...]

    @property
    def parts(self) -> tuple[tuple[str, tuple[Example, ...]], ...]:
        """The rows of the contact sheet by name; rows without images are left out."""
        rows = (("typical", self.typical), ("rare classes", self.rare), ("suspicious", self.suspicious))
        return tuple((name, examples) for name, examples in rows if examples)


def choose_examples(items: Sequence[Item], features: Floats, names: Sequence[str]) -> Examples:
    """Examples among the labelled `items`.

    Args:
        features: float64 (N, F), as `appearance.measure` returns them.
        names: (C,) the names of the classes.
    """
    return Examples(_typical(items, features), _rare(items, names), _suspicious(items, features, names))


def _typical(items: Sequence[Item], features: Floats) -> tuple[Example, ...]:
    """The images nearest to the median of every feature, from as many groups as possible."""
    distance = np.linalg.norm(_deviations(features), axis=1)
    taken: dict[str, int] = {}
    turns: list[tuple[int, int, Item]] = []
    for position in np.argsort(distance, kind="stable"):
        group = items[position].group
        turns.append((taken.get(group, 0), len(turns), items[position]))
        taken[group] = taken.get(group, 0) + 1
    turns.sort(key=lambda turn: turn[:2])
    return tuple(Example(item.id, item.group and f"group {item.group}") for _, _, item in turns[:_TYPICAL])


def _rare(items: Sequence[Item], names: Sequence[str]) -> tuple[Example, ...]:
    """The images with the most pixels of the rarest classes; a class of average size or more is not rare."""
    pixels = np.array([item.pixels for item in items], dtype=np.int64)
    totals = pixels.sum(axis=0)
    rarest = [int(c) for c in np.argsort(totals, kind="stable") if 0 < totals[c] < totals.mean()][:_RARE_CLASSES]
    examples: dict[str, Example] = {}
    for label in rarest:
        most_first = [p for p in np.argsort(-pixels[:, label], kind="stable") if pixels[p, label]]
        for position in [p for p in most_first if items[p].id not in examples][:_EACH_RARE]:
            share = pixels[position, label] / (items[position].height * items[position].width)
            examples[items[position].id] = Example(items[position].id, f"{names[label]}, {share:.1%} of the image")
    return tuple(examples.values())


def _suspicious(items: Sequence[Item], features: Floats, names: Sequence[str]) -> tuple[Example, ...]:
    deviations = _deviations(features)
    far = (np.abs(deviations) > _FAR_OFF).sum(axis=0)
    deviations[:, far > max(_FEW, _FEW_SHARE * len(items))] = 0  # so many images are a kind of their own, not outliers
    suspicions: list[tuple[float, int, str]] = []
    for position, item in enumerate(items):
        suspicion = _suspicion(item, features[position], deviations[position], names)
        if suspicion is not None:
            suspicions.append((-suspicion[0], position, suspicion[1]))
    return tuple(Example(items[position].id, why) for _, position, why in sorted(suspicions)[:_SUSPICIOUS])


def _suspicion(item: Item, features: Floats, deviations: Floats, names: Sequence[str]) -> tuple[float, str] | None:
    """A number that grows with suspicion, and the reason; None if the image looks normal."""
    contrast = features[NAMES.index("contrast")]
    if contrast < _FLAT:
        return 1e6 - contrast, "almost no contrast (black, blank or broken)"
    present = [name for name, pixels in zip(names, item.pixels, strict=True) if pixels]
    void = item.void / (item.height * item.width)
    if void > _MOSTLY_VOID:
        return 1e4 + void, f"{void:.0%} of the mask is void"
    if len(present) == 1 and len(names) > 2:
        return 1e3, f"the whole mask is {present[0]}"
    strongest = int(np.argmax(np.abs(deviations)))
    if abs(deviations[strongest]) > _FAR_OFF:
        feature = FEATURES[strongest]
        word = feature.high if deviations[strongest] > 0 else feature.low
        return float(min(abs(deviations[strongest]), 999)), f"unlike the others: {word}"
    return None


def _deviations(features: Floats) -> Floats:
    """The distance of each feature from its median, in robust standard deviations, float64 (N, F)."""
    median = np.median(features, axis=0)
    # 1.4826 times the median absolute deviation is the standard deviation of a normal distribution; where most images
    # have the same value it is 0, so a part of the plain standard deviation is the least.
    spread = 1.4826 * np.median(np.abs(features - median), axis=0)
    deviations: Floats = (features - median) / np.maximum(spread, features.std(axis=0) / 4 + 1e-9)
    return deviations
