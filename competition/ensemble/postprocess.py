"""Post-processing: the settings of how a label map is decided, and of what is done to it then.

Every region (pixels of one class that touch) is judged by itself, on the label map as it was: one that is too small for
its class, or not the largest where only that counts, takes the class that most of its neighbours have, and one that
lies within a single class takes that class where it is small enough to be a hole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from competition.ensemble.regions import Regions, find_regions
from competition.scoring.confusion import Labels

UNIT = 12
"""The factor of a class with the threshold one half; factors are whole numbers of its parts."""


@dataclass(frozen=True)
class Postprocessing:
    """What is done with each class, beyond naming the likeliest; all (C,).

    Args:
        min_size: regions of fewer pixels go; 0 where all stay.
        hole_size: holes in the class of up to so many pixels are filled; 0 where none is.
        largest_only: whether all but an image's largest region of the class go.
        factor: how many twelfths of its probability the class counts in the decision before; `UNIT` where it has the
            threshold one half. See thresholds.py.
    """

    min_size: tuple[int, ...]
    hole_size: tuple[int, ...]
    largest_only: tuple[bool, ...]
    factor: tuple[int, ...]

    @classmethod
    def nothing(cls, classes: int) -> "Postprocessing":
        """What changes no label map."""
        return cls((0,) * classes, (0,) * classes, (False,) * classes, (UNIT,) * classes)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], classes: Sequence[str]) -> "Postprocessing":
        """What `to_json` wrote."""
        thresholds = value.get("thresholds", {})  # ensembles of the first schema that had settings have none
        return cls(
            min_size=tuple(value["min_size"].get(name, 0) for name in classes),
            hole_size=tuple(value["hole_size"].get(name, 0) for name in classes),
            largest_only=tuple(name in value["largest_only"] for name in classes),
            factor=tuple(round(UNIT * (1 - t) / t) for t in (thresholds.get(name, 0.5) for name in classes)),
        )

    def to_json(self, classes: Sequence[str]) -> dict[str, Any]:
        """Plain values: by class, where something is done."""
        thresholds = {name: UNIT / (UNIT + factor) for name, factor in zip(classes, self.factor, strict=True)}
        return {
            "thresholds": {name: round(share, 3) for name, share in thresholds.items() if share != 0.5},
            "min_size": {name: size for name, size in zip(classes, self.min_size, strict=True) if size},
            "hole_size": {name: size for name, size in zip(classes, self.hole_size, strict=True) if size},
            "largest_only": [name for name, only in zip(classes, self.largest_only, strict=True) if only],
        }

    def apply(self, labels: Labels) -> Labels:
        """The label map, uint8 (H, W), decided with the thresholds, after what is done to regions."""
        number, regions = find_regions(labels, len(self.min_size))
        return self.judge(regions)[number]

    def judge(self, regions: Regions) -> Labels:
        """The class of each region after it, uint8 (K,)."""
        too_small = regions.size < np.array(self.min_size)[regions.label]
        beside_a_larger = np.array(self.largest_only)[regions.label] & ~regions.is_largest
        hole = regions.is_hole & (regions.size <= np.array(self.hole_size)[regions.around])
        return np.where(too_small | beside_a_larger | hole, regions.around, regions.label)
