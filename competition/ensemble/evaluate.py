"""Exact confusion matrices of members and blends over every out-of-fold image, at full resolution."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from competition.data.parallel import Progress, in_threads
from competition.data.probabilities import Bytes
from competition.ensemble.blend import Weighting, best_class, blend
from competition.ensemble.members import OpenMembers
from competition.scoring import confusion
from competition.scoring.confusion import Labels, Matrices
from competition.settings import IGNORE_INDEX

Truth = Callable[[str], Labels]
"""The labels of an image by its id: uint8 (H, W)."""


@dataclass(frozen=True)
class Survey:
    """What the members say alone.

    Args:
        singles: (M, N, C, C), the confusion matrices of each member.
        settled: (N, C, C), those of the pixels where all members name the same class. No weighting changes these: what
            is greatest in every term is greatest in any sum of non-negative multiples of them, ties included.
    """

    singles: Matrices
    settled: Matrices

    @property
    def contested(self) -> Matrices:
        """Pixels of each true class (N, C) on which the members disagree."""
        pixels: Matrices = (self.singles[0] - self.settled).sum(axis=-1)
        return pixels


def survey(members: OpenMembers, *, truth: Truth, progress: Progress | None = None) -> Survey:
    """Score every member on every image."""
    classes = len(members.classes)

    def one(image_id: str) -> tuple[Matrices, Matrices]:
        labels = truth(image_id)
        answers = decisions(members.oof_views(image_id))
        singles = np.stack([confusion.count(answer.reshape(labels.shape), labels, classes) for answer in answers])
        agreed = np.where(disagreement(answers).reshape(labels.shape), np.uint8(IGNORE_INDEX), labels)
        return singles, confusion.count(answers[0].reshape(labels.shape), agreed, classes)

    found = in_threads(one, members.ids, progress=progress)
    return Survey(np.stack([singles for singles, _ in found], axis=1), np.stack([settled for _, settled in found]))


def confusions(
    members: OpenMembers, weightings: Sequence[Weighting], *, truth: Truth, progress: Progress | None = None
) -> dict[Weighting, Matrices]:
    """The confusion matrices (N, C, C) of the blend by each weighting; every image is read once."""
    classes = len(members.classes)

    def one(image_id: str) -> Matrices:
        labels = truth(image_id)
        views = members.oof_views(image_id)
        return np.stack([confusion.count(blend(views, counts), labels, classes) for counts in weightings])

    if not weightings:
        return {}
    found = np.stack(in_threads(one, members.ids, progress=progress), axis=1)
    return dict(zip(weightings, found, strict=True))


def decisions(views: Sequence[Bytes]) -> list[Bytes]:
    """The class that each member names for each pixel: uint8 (H * W)."""
    return [best_class(view.reshape(len(view), -1)) for view in views]


def disagreement(answers: Sequence[Bytes]) -> np.ndarray:
    """Where the members do not all name the same class: bool (P,)."""
    differs = np.zeros(answers[0].shape, dtype=bool)
    for answer in answers[1:]:
        differs |= answer != answers[0]
    return differs
