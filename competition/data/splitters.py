"""Ways to deal out N images: each returns the fold of every image as int64 (N,). scikit-learn does the dealing.

The same input and seed give the same folds on every machine: NumPy's legacy generator, which scikit-learn uses, never
changes its numbers.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.model_selection import BaseCrossValidator

Folds = NDArray[np.int64]
Presence = NDArray[np.bool_]
"""(N, C): whether an image carries a class."""


def at_random(images: int, *, folds: int, seed: int) -> Folds:
    """Folds of equal size, at random."""
    from sklearn.model_selection import KFold

    return _placed(KFold(folds, shuffle=True, random_state=seed), images, None, None)


def stratified(presence: Presence, *, folds: int, seed: int) -> Folds:
    """Every class in as many images of each fold.

    Images that carry several classes are dealt out by iterative stratification (Sechidis et al., ECML PKDD 2011).
    """
    from iterstrat.ml_stratifiers import MultilabelStratifiedKFold
    from sklearn.model_selection import StratifiedKFold

    if (presence.sum(axis=1) > 1).any():
        splitter = MultilabelStratifiedKFold(folds, shuffle=True, random_state=seed)
        return _placed(splitter, len(presence), presence.astype(np.int64), None)
    labels = _pool_rare(rarest_class(presence), least=folds)
    return _placed(StratifiedKFold(folds, shuffle=True, random_state=seed), len(presence), labels, None)


def by_group(groups: Sequence[str], *, folds: int, seed: int) -> Folds:
    """As many groups in each fold, at random, each whole."""
    from sklearn.model_selection import GroupKFold

    return _placed(GroupKFold(folds, shuffle=True, random_state=seed), len(groups), None, groups)


def stratified_by_group(presence: Presence, groups: Sequence[str], *, folds: int, seed: int) -> Folds:
    """Groups whole, and each class in as many images of each fold as the groups allow.

    The splitter wants one label per image: it is the rarest class that the image carries, because a common class
    comes to every fold by itself.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    labels = _pool_rare(rarest_class(presence), least=folds)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    return _placed(splitter, len(groups), labels, groups)


def hold_out(units: Sequence[str], *, fraction: float, seed: int) -> Folds:
    """Fold 0 for about `fraction` of the images, at random, and -1 for the rest; images of a unit stay together.

    Units are taken in random order, each if it brings the share nearer to the one that was asked for.
    """
    sizes = Counter(units)
    target = fraction * len(units)
    in_order = sorted(sizes)
    chosen: set[str] = set()
    held = 0
    for place in np.random.RandomState(seed).permutation(len(in_order)):
        unit = in_order[place]
        if abs(held + sizes[unit] - target) < abs(held - target):
            chosen.add(unit)
            held += sizes[unit]
    return np.array([0 if unit in chosen else -1 for unit in units], dtype=np.int64)


def rarest_class(presence: Presence) -> NDArray[np.int64]:
    """(N,): of the classes that an image carries, the one that the fewest images carry; C for an image without any."""
    rarity = np.argsort(presence.sum(axis=0), kind="stable")
    rarest: NDArray[np.int64] = rarity[presence[:, rarity].argmax(axis=1)]
    rarest[~presence.any(axis=1)] = presence.shape[1]
    return rarest


def _pool_rare(labels: NDArray[np.int64], *, least: int) -> NDArray[np.int64]:
    """The labels, with those of fewer than `least` images made one, together with the next rarest if need be.

    scikit-learn cannot spread a label over more folds than it has images.
    """
    pooled = labels.copy()
    together = 0
    rare: list[int] = []
    for label, images in sorted(Counter(labels.tolist()).items(), key=lambda pair: (pair[1], pair[0])):
        if images >= least and (not rare or together >= least):
            break
        rare.append(label)
        together += images
    pooled[np.isin(labels, rare)] = rare[0] if rare else 0
    return pooled


def _placed(
    splitter: "BaseCrossValidator", images: int, labels: NDArray[np.int64] | None, groups: Sequence[str] | None
) -> Folds:
    placed = np.empty(images, dtype=np.int64)
    for fold, (_, valid) in enumerate(splitter.split(np.zeros(images), labels, groups)):
        placed[valid] = fold
    return placed
