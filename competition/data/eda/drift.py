"""Drift: how well a small classifier can tell test images from training images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEWEST_IMAGES = 20
"""The least number of training images and of test images; with fewer, the result would be chance."""

_FOLDS = 5
_NEIGHBOURS = 10
"""Images without groups are held out in blocks of this many neighbours in the order of their names."""
_MOST_FEATURES = 3


@dataclass(frozen=True)
class DriftFeature:
    """A feature that differs between training and test images; `auc` is that of the feature alone, 0.5..1."""

    feature: str
    auc: float
    train_median: float
    test_median: float


@dataclass(frozen=True)
class Drift:
    """How well training and test images can be told apart.

    Args:
        auc: area under the ROC curve of a random forest on held-out images; 0.5 is guessing, 1 is always right.
        features: the features that differ most, the strongest first.
    """

    auc: float
    features: tuple[DriftFeature, ...]

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
    """How well the features of training images, float64 (N, F), differ from those of test images, float64 (M, F).

    Whole groups are held out, so that the forest gains nothing from knowing the next frame of a video: the `groups` of
    the training images, and blocks of neighbours where there are none.

    Args:
        groups: (N,) the group of each training image.
        names: (F,) the names of the features.

    Returns:
        None if there are too few training or test images.
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
    probability = cross_val_predict(forest, features, is_test, cv=PredefinedSplit(held_out), method="predict_proba")[
        :, 1
    ]
    by_feature = [
        DriftFeature(name, _one_sided(float(roc_auc_score(is_test, column))), *_medians(column, is_test))
        for name, column in zip(names, features.T, strict=True)
    ]
    by_feature.sort(key=lambda feature: -feature.auc)
    return Drift(float(roc_auc_score(is_test, probability)), tuple(by_feature[:_MOST_FEATURES]))


def _held_out(groups: Sequence[str], seed: int) -> NDArray[np.intp]:
    """The fold in which each image is held out, intp (N,). A group stays together, and every fold gets images."""
    keys = [group or f"block {position // _NEIGHBOURS}" for position, group in enumerate(groups)]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    shuffled = np.random.default_rng(seed).permutation(len(numbers))
    return np.array([shuffled[numbers[key]] % _FOLDS for key in keys], dtype=np.intp)


def _one_sided(auc: float) -> float:
    return max(auc, 1 - auc)


def _medians(column: Floats, is_test: NDArray[np.intp]) -> tuple[float, float]:
    return float(np.median(column[is_test == 0])), float(np.median(column[is_test == 1]))
