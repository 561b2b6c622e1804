"""Do the test images look like the training images? A small classifier tries to tell them apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEWEST_IMAGES = 20
"""On either side; with fewer, the answer would be chance."""

_FOLDS = 5
_RUN = 10
"""Test images have no groups; so many neighbours in the order of their names stand together instead."""
_TELLING = 3


@dataclass(frozen=True)
class Telling:
    """A feature that tells the two apart; `auc` is what it alone reaches, from 0.5 (nothing) to 1."""

    feature: str
    auc: float
    train_median: float
    test_median: float


@dataclass(frozen=True)
class Drift:
    """How well training and test images can be told apart.

    Args:
        auc: area under the ROC curve of a random forest on images it has not seen; 0.5 is guessing, 1 certainty.
        telling: the features that give it away, the strongest first.
    """

    auc: float
    telling: tuple[Telling, ...]

    @property
    def verdict(self) -> str:
        """The AUC in words."""
        if self.auc < 0.65:
            return "test images look like training images"
        if self.auc < 0.85:
            return "test images look somewhat different"
        return "test images look clearly different"


def measure_drift(
    train: Floats, test: Floats, *, groups: Sequence[str], names: Sequence[str], seed: int
) -> Drift | None:
    """How different the features of the training images, float64 (N, F), are from those of the test images (M, F).

    Whole groups are held out (`groups` of the training images, runs of neighbours among those without and among the
    test images), so that knowing the next frame of a video is no help. None where either side is too small.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import PredefinedSplit, cross_val_predict

    if min(len(train), len(test)) < FEWEST_IMAGES:
        return None
    features = np.concatenate([train, test])
    is_test = np.repeat([0, 1], [len(train), len(test)])
    if len(set(groups)) < 2:
        groups = [""] * len(train)
    held_out = np.concatenate([_held_out(groups, seed), _held_out([""] * len(test), seed)])
    forest = RandomForestClassifier(100, min_samples_leaf=3, class_weight="balanced", random_state=seed)
    chance = cross_val_predict(forest, features, is_test, cv=PredefinedSplit(held_out), method="predict_proba")[:, 1]
    telling = [
        Telling(name, _one_sided(float(roc_auc_score(is_test, column))), *_medians(column, is_test))
        for name, column in zip(names, features.T, strict=True)
    ]
    telling.sort(key=lambda t: -t.auc)
    return Drift(float(roc_auc_score(is_test, chance)), tuple(telling[:_TELLING]))


def _held_out(groups: Sequence[str], seed: int) -> NDArray[np.intp]:
    """The fold that each image of one side is held out in; a group is never torn, and every fold has the side."""
    keys = [group or f"run {place // _RUN}" for place, group in enumerate(groups)]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    shuffled = np.random.default_rng(seed).permutation(len(numbers))
    return np.array([shuffled[numbers[key]] % _FOLDS for key in keys], dtype=np.intp)


def _one_sided(auc: float) -> float:
    return max(auc, 1 - auc)


def _medians(column: Floats, is_test: NDArray[np.intp]) -> tuple[float, float]:
    return float(np.median(column[is_test == 0])), float(np.median(column[is_test == 1]))
