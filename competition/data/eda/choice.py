"""Which images to show people: a few typical ones, the rarest classes, and those that look wrong."""

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
class Shown:
    """An image, and why it is shown."""

    id: str
    why: str


@dataclass(frozen=True)
class Choice:
    """The images of the contact sheet."""

    typical: tuple[Shown, ...]
    rare: tuple[Shown, ...]
    suspicious: tuple[Shown, ...]

    @property
    def parts(self) -> tuple[tuple[str, tuple[Shown, ...]], ...]:
        """The three rows of the sheet by name, those with images."""
        named = (("typical", self.typical), ("rare classes", self.rare), ("suspicious", self.suspicious))
        return tuple((name, shown) for name, shown in named if shown)


def choose(items: Sequence[Item], features: Floats, names: Sequence[str]) -> Choice:
    """What to show of the labelled `items` with their features, float64 (N, F); `names` are the classes'."""
    return Choice(_typical(items, features), _rare(items, names), _suspicious(items, features, names))


def _typical(items: Sequence[Item], features: Floats) -> tuple[Shown, ...]:
    """The images nearest to the median of every feature, from as many groups as there are."""
    distance = np.linalg.norm(_deviations(features), axis=1)
    seen: dict[str, int] = {}
    turns: list[tuple[int, int, Item]] = []
    for place in np.argsort(distance, kind="stable"):
        group = items[place].group
        turns.append((seen.get(group, 0), len(turns), items[place]))
        seen[group] = seen.get(group, 0) + 1
    turns.sort(key=lambda turn: turn[:2])
    return tuple(Shown(item.id, item.group and f"group {item.group}") for _, _, item in turns[:_TYPICAL])


def _rare(items: Sequence[Item], names: Sequence[str]) -> tuple[Shown, ...]:
    """The images with most of the classes that the fewest pixels belong to; a class of average size is not rare."""
    pixels = np.array([item.pixels for item in items], dtype=np.int64)
    totals = pixels.sum(axis=0)
    rarest = [int(c) for c in np.argsort(totals, kind="stable") if 0 < totals[c] < totals.mean()][:_RARE_CLASSES]
    shown: dict[str, Shown] = {}
    for label in rarest:
        fullest = [p for p in np.argsort(-pixels[:, label], kind="stable") if pixels[p, label]]
        for place in [p for p in fullest if items[p].id not in shown][:_EACH_RARE]:
            share = pixels[place, label] / (items[place].height * items[place].width)
            shown[items[place].id] = Shown(items[place].id, f"{names[label]}, {share:.1%} of the image")
    return tuple(shown.values())


def _suspicious(items: Sequence[Item], features: Floats, names: Sequence[str]) -> tuple[Shown, ...]:
    deviations = _deviations(features)
    far = (np.abs(deviations) > _FAR_OFF).sum(axis=0)
    deviations[:, far > max(_FEW, _FEW_SHARE * len(items))] = 0  # so many are a kind of images, not outliers
    doubts: list[tuple[float, int, str]] = []
    for place, item in enumerate(items):
        doubt = _doubt(item, features[place], deviations[place], names)
        if doubt is not None:
            doubts.append((-doubt[0], place, doubt[1]))
    return tuple(Shown(items[place].id, why) for _, place, why in sorted(doubts)[:_SUSPICIOUS])


def _doubt(item: Item, features: Floats, deviations: Floats, names: Sequence[str]) -> tuple[float, str] | None:
    """How suspicious an image is and why; None where nothing is odd."""
    contrast = features[NAMES.index("contrast")]
    if contrast < _FLAT:
        return 1e6 - contrast, "hardly any contrast (black, blank or broken)"
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
    """How far each feature lies from the median, in robust standard deviations, float64 (N, F)."""
    median = np.median(features, axis=0)
    spread = 1.4826 * np.median(np.abs(features - median), axis=0)
    deviations: Floats = (features - median) / np.maximum(spread, features.std(axis=0) / 4 + 1e-9)
    return deviations
