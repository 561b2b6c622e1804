"""Exact confusion matrices of members and blends over every out-of-fold image, at full resolution."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.config.settings import IGNORE_INDEX
from competition.data.parallel import Progress, in_threads
from competition.ensemble.blend import Weighting, best_class, blend
from competition.ensemble.inputs import OpenExperiments
from competition.ensemble.methods import Method
from competition.predictions.probabilities import Bytes, two_best
from competition.scoring import confusion
from competition.scoring.confusion import Labels, Matrices

Truth = Callable[[str], Labels]
"""The labels of an image by its id: uint8 (H, W)."""


@dataclass(frozen=True)
class ExperimentScores:
    """What the members say alone.

    Args:
        singles: (M, N, C, C), the confusion matrices of each member.
        settled: (N, C, C), those of the pixels that no weighting changes, see `is_contested`.
    """

    singles: Matrices
    settled: Matrices

    @property
    def contested(self) -> Matrices:
        """Pixels of each true class (N, C) on which the members disagree."""
        pixels: Matrices = (self.singles[0] - self.settled).sum(axis=-1)
        return pixels


def score_experiments(
    experiments: OpenExperiments, *, truth: Truth, lead: int = 0, progress: Progress | None = None
) -> ExperimentScores:
    """Score every member on every image.

    Args:
        lead: what settles a pixel, see `is_contested`.
    """
    classes = len(experiments.classes)

    def one(image_id: str) -> tuple[Matrices, Matrices]:
        labels = truth(image_id)
        views = flat(experiments.oof_views(image_id))
        answers = [best_class(view) for view in views]
        singles = np.stack([confusion.count(answer.reshape(labels.shape), labels, classes) for answer in answers])
        contested = is_contested(views, answers, lead=lead).reshape(labels.shape)
        agreed = np.where(contested, np.uint8(IGNORE_INDEX), labels)
        return singles, confusion.count(answers[0].reshape(labels.shape), agreed, classes)

    found = in_threads(one, experiments.ids, progress=progress)
    return ExperimentScores(
        np.stack([singles for singles, _ in found], axis=1), np.stack([settled for _, settled in found])
    )


def confusions(
    experiments: OpenExperiments,
    weightings: Sequence[Weighting],
    *,
    truth: Truth,
    method: Method = Method.MEAN,
    progress: Progress | None = None,
) -> dict[Weighting, Matrices]:
    """The confusion matrices (N, C, C) of the blend by each weighting; every image is read once."""
    classes = len(experiments.classes)

    def one(image_id: str) -> Matrices:
        labels = truth(image_id)
        views = experiments.oof_views(image_id)
        return np.stack([confusion.count(blend(views, counts, method), labels, classes) for counts in weightings])

    if not weightings:
        return {}
    found = np.stack(in_threads(one, experiments.ids, progress=progress), axis=1)
    return dict(zip(weightings, found, strict=True))


def flat(views: Sequence[Bytes]) -> list[Bytes]:
    """Probabilities (C, H, W) as (C, H * W)."""
    return [view.reshape(len(view), -1) for view in views]


def is_contested(views: Sequence[Bytes], answers: Sequence[Bytes], *, lead: int) -> NDArray[np.bool_]:
    """Which pixels, bool (P,), a weighting could change.

    One weight a member: those where members name different classes. What is greatest in every term is greatest in any
    sum of non-negative multiples of them, ties included.

    Weights by class (lead 1): also those where the agreed class has less from some member than another class has from
    any. Where it has more, its mean is above every other class's, by whatever weights each of the two is taken.
    Thresholds too: where it has no more than `lead` times as much, the most that they favour one class over another.

    Args:
        views: uint8 (C, P) of each member.
        answers: the class that each names, uint8 (P,).
    """
    contested = np.zeros(answers[0].shape, dtype=bool)
    for answer in answers[1:]:
        contested |= answer != answers[0]
    if lead:
        ranked = [two_best(view) for view in views]
        rival = np.max([second for _, second in ranked], axis=0).astype(np.uint16)
        contested |= np.min([best for best, _ in ranked], axis=0) <= np.uint16(lead) * rival
    return contested
