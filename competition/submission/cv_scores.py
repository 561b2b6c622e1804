"""How sure a CV score is: out-of-fold confusion matrices of experiments and ensembles, left out group by group."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.config.settings import Settings
from competition.data.manifest import Manifest
from competition.paths import Paths
from competition.scoring import confusion, jackknife, metrics
from competition.store.splits import SplitVersion


@dataclass(frozen=True)
class CvScore:
    """A CV score and what it would be without each group of images.

    Args:
        cv: a fraction, over all images.
        without: float64 (B,), `jackknife.left_out`.
        sizes: int64 (B,), images in each group; the same groups for everything on one split.
    """

    cv: float
    without: NDArray[np.float64]
    sizes: NDArray[np.int64]

    @property
    def images(self) -> int:
        """How many images the score was measured on."""
        return int(self.sizes.sum())

    @property
    def error(self) -> float | None:
        """The standard error of the score; None where it cannot be told."""
        return _known(jackknife.standard_error(self.cv, self.without, self.sizes))

    def lead_over(self, other: "CvScore") -> tuple[float, float | None]:
        """How much better this is than another, and the standard error of that difference, image for image."""
        lead = self.cv - other.cv
        return lead, _known(jackknife.standard_error(lead, self.without - other.without, self.sizes))


def cv_scores(paths: Paths, settings: Settings, split: SplitVersion, names: Iterable[str]) -> dict[str, CvScore]:
    """The scores of the experiments and ensembles of these names; those whose matrices are gone are left out.

    Raises:
        DataError: a file is damaged.
    """
    groups = {i.id: i.group or f"alone {i.id}" for i in Manifest.read(paths.manifest(split.fingerprint)).items}
    found: dict[str, CvScore] = {}
    for name in names:
        loaded = _matrices(paths, name, split.folds)
        if loaded is None:
            continue
        ids, matrices = loaded
        _, blocks, sizes = np.unique([groups[i] for i in ids], return_inverse=True, return_counts=True)
        cv = metrics.score(settings.metric, matrices)
        found[name] = CvScore(cv, jackknife.left_out(settings.metric, matrices, blocks), sizes)
    return found


def _matrices(paths: Paths, name: str, folds: int) -> tuple[list[str], confusion.Matrices] | None:
    """The ids and matrices (N, C, C) of an ensemble, else of an experiment's folds; an ensemble's name comes first."""
    blend = paths.ensemble(name).confusion
    files = [blend] if blend.is_file() else [paths.job(name, fold).confusion for fold in range(folds)]
    if not all(file.is_file() for file in files):
        return None
    parts = [confusion.load(file) for file in files]
    return [image_id for ids, _ in parts for image_id in ids], np.concatenate([found for _, found in parts])


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
