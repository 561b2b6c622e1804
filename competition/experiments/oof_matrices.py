"""Confusion matrices of every out-of-fold image of an experiment, for each of its seeds: what scores are made of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from competition.config.conditions import changes_prediction_only, conditions_between
from competition.data.manifest import Manifest
from competition.errors import DataError, with_retry_hint
from competition.lifecycle import JobKind, job_label
from competition.paths import Paths
from competition.scoring import confusion
from competition.scoring.bootstrap import Bootstrap, draw
from competition.scoring.confusion import Matrices
from competition.store import artifacts
from competition.store.engine import Store
from competition.store.experiments import Experiment
from competition.store.splits import SplitVersion


@dataclass(frozen=True)
class OofMatrices:
    """Matrices of one experiment.

    Args:
        ids: the out-of-fold images, fold after fold.
        repeats: of each seed, the matrices (N_k, C, C) of each fold, int64.
    """

    experiment: str
    ids: tuple[str, ...]
    repeats: tuple[tuple[Matrices, ...], ...]

    @property
    def runs(self) -> list[Matrices]:
        """Of each seed, the matrices (N, C, C) of all images."""
        return [np.concatenate(folds) for folds in self.repeats]


@dataclass(frozen=True)
class OofPair:
    """Two experiments on the same images in the same order.

    Args:
        shared: the seeds in which both are the same trained models; then `a` and `b` hold these seeds alone. If empty,
            each holds all seeds of its own.
    """

    a: OofMatrices
    b: OofMatrices
    shared: tuple[int, ...]


def load(paths: Paths, experiment: Experiment, *, folds: int, repeats: Sequence[int]) -> OofMatrices:
    """The matrices of an experiment's folds with these of its seeds.

    Raises:
        DataError: a file is missing or damaged, or two seeds were validated on different images.
    """
    loaded = [[_matrices(paths, experiment.name, fold, repeat) for fold in range(folds)] for repeat in repeats]
    ids = [tuple(image_id for fold_ids, _ in repeat for image_id in fold_ids) for repeat in loaded]
    if len(set(ids)) > 1:
        raise DataError(
            f"The seeds of {experiment.name} were validated on different images.",
            hint=f"`comp retry {experiment.name} --finished-too` trains all of them again.",
        )
    matrices = tuple(tuple(matrices for _, matrices in repeat) for repeat in loaded)
    return OofMatrices(experiment.name, ids[0], matrices)


def load_pair(store: Store, a: Experiment, b: Experiment, *, folds: int) -> OofPair:
    """The matrices of two experiments, to be compared.

    Raises:
        DataError: a file is missing or damaged, or the two were validated on different images.
    """
    shared = _shared_seeds(store, a, b, folds=folds)
    left, right = (load(store.paths, e, folds=folds, repeats=shared or tuple(e.repeat_scores)) for e in (a, b))
    if left.ids != right.ids:
        raise DataError(f"{a.name} and {b.name} were validated on different images.")
    return OofPair(left, right, shared)


def bootstrap(paths: Paths, split: SplitVersion, ids: Sequence[str]) -> Bootstrap:
    """Draws of these images: of whole groups, and of single images that belong to no group.

    Raises:
        DataError: the manifest is missing or damaged.
    """
    manifest = Manifest.read(paths.manifest(split.fingerprint))
    groups = [manifest.item(image_id).group for image_id in ids]
    return draw([f"group {group}" if group else f"image {i}" for group, i in zip(groups, ids, strict=True)])


def _shared_seeds(store: Store, a: Experiment, b: Experiment, *, folds: int) -> tuple[int, ...]:
    """The seeds in which both are the same trained models, byte for byte in every fold, and only predict differently.

    Empty if there are none: then each is the mean of its own seeds.
    """
    if not changes_prediction_only(conditions_between(a.config, b.config)):
        return ()
    left, right = (artifacts.of_experiment(store, e.name) for e in (a, b))

    def is_same(fold: int, repeat: int) -> bool:
        model = (job_label(JobKind.FOLD, fold, repeat), store.paths.job(a.name, fold, repeat).model.name)
        return left.get(model) is not None and left.get(model) == right.get(model)

    return tuple(r for r in a.repeat_scores if r in b.repeat_scores and all(is_same(k, r) for k in range(folds)))


def _matrices(paths: Paths, name: str, fold: int, repeat: int) -> tuple[list[str], Matrices]:
    with with_retry_hint(name, fold):
        return confusion.load(paths.job(name, fold, repeat).confusion)
