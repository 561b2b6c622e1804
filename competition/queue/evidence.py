"""What an experiment left to be judged by: the confusion matrices of every out-of-fold image, for each of its seeds."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from competition.conditions import changes_prediction_only, conditions_between
from competition.data.manifest import Manifest
from competition.errors import DataError
from competition.paths import Paths
from competition.scoring import confusion
from competition.scoring.confusion import Matrices
from competition.store.experiments import Experiment


@dataclass(frozen=True)
class Evidence:
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


def load(paths: Paths, experiment: Experiment, *, folds: int, repeats: Sequence[int]) -> Evidence:
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
    return Evidence(experiment.name, ids[0], matrices)


def shared_seeds(a: Experiment, b: Experiment) -> tuple[int, ...]:
    """The repeats that both have a score of, where they are the same trained models that only predict differently.

    Empty where they are not: then each is the mean of its own seeds.
    """
    if not changes_prediction_only(conditions_between(a.config, b.config)):
        return ()
    return tuple(repeat for repeat in a.repeat_scores if repeat in b.repeat_scores)


@contextmanager
def mended(name: str, fold: int) -> Iterator[None]:
    """Gives what is wrong with a file of a fold the command that writes it again."""
    try:
        yield
    except DataError as error:
        hint = f"`comp retry {name} --folds {fold} --finished-too` runs the job that writes it again."
        raise DataError(error.message, hint=hint) from error


def units(manifest: Manifest, ids: Sequence[str]) -> list[str]:
    """What a bootstrap draws, for each image: its group, or itself where it belongs to none."""
    groups = [manifest.item(image_id).group for image_id in ids]
    return [f"group {group}" if group else f"image {i}" for group, i in zip(groups, ids, strict=True)]


def check_paired(a: Evidence, b: Evidence) -> None:
    """Do nothing if both were validated on the same images in the same order.

    Raises:
        DataError: they were not.
    """
    if a.ids != b.ids:
        raise DataError(f"{a.experiment} and {b.experiment} were validated on different images.")


def _matrices(paths: Paths, name: str, fold: int, repeat: int) -> tuple[list[str], Matrices]:
    with mended(name, fold):
        return confusion.load(paths.job(name, fold, repeat).confusion)
