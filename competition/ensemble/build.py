"""Building an ensemble: from members to weights and scores."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from competition.data.parallel import Progress
from competition.ensemble.crossfit import fit, parts_of
from competition.ensemble.evaluate import Truth, survey
from competition.ensemble.members import Member, open_members
from competition.scoring import metrics
from competition.scoring.confusion import Matrices

_PASSES = 3


class Method(StrEnum):
    """How members are weighted."""

    MEAN = "mean"
    """All alike."""
    WEIGHTED = "weighted"
    """By weights that maximise the metric on out-of-fold pixels."""


@dataclass(frozen=True)
class Ensemble:
    """A blend and what it is worth; scores are fractions of the competition's metric over all out-of-fold pixels.

    Args:
        classes: their names, in order.
        weights: by member, summing to 1; those that test images are blended with.
        singles: each member's own score.
        weighted_score: cross-fitted: the weights that score an image were fitted without its fold.
        weighted_in_sample: the final weights on the images that they were fitted on; optimistic.
        score: of the chosen method; cross-fitted for `weighted`.
        per_class_iou: of the chosen method, scored likewise; NaN for a class that never occurs.
        ids: the out-of-fold images.
        confusion: int64 (N, C, C), theirs under the chosen method, scored likewise.
    """

    method: Method
    classes: tuple[str, ...]
    weights: dict[str, float]
    singles: dict[str, float]
    mean_score: float
    weighted_score: float
    weighted_in_sample: float
    score: float
    per_class_iou: tuple[float, ...]
    ids: tuple[str, ...]
    confusion: Matrices = field(repr=False, compare=False)

    @property
    def best_single(self) -> tuple[str, float]:
        """The best member and its score."""
        return max(self.singles.items(), key=lambda pair: pair[1])

    def to_json(self) -> dict[str, Any]:
        """Plain values; None for what is not a number."""
        name, best = self.best_single
        return {
            "method": str(self.method),
            "score": _plain(self.score),
            "best_single": {"name": name, "score": _plain(best)},
            "mean_score": _plain(self.mean_score),
            "weighted_score": _plain(self.weighted_score),
            "weighted_in_sample": _plain(self.weighted_in_sample),
            "weights": self.weights,
            "singles": {member: _plain(score) for member, score in self.singles.items()},
            "per_class_iou": dict(zip(self.classes, map(_plain, self.per_class_iou), strict=True)),
            "images": len(self.ids),
        }


def build(
    members: Sequence[Member],
    *,
    truth: Truth,
    metric: str,
    method: Method,
    groups: Mapping[str, str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Ensemble:
    """Score the members alone, their mean, and their weighted blend, on out-of-fold predictions.

    Args:
        truth: the labels, uint8 (H, W), of an image by its id.
        groups: the group of an image by its id, empty or missing where it has none; of use for a hold-out split, whose
            images have to be parted again to cross-fit. Folds are taken as they are.
        progress: told of three passes over the images as of one.

    Raises:
        RefusedError: the members do not belong together.
        DataError: a shard is missing or damaged.
    """
    opened = open_members(members)
    found = survey(opened, truth=truth, progress=_share(progress, 0))
    fitted = fit(
        opened,
        found,
        parts=parts_of(opened, groups or {}, seed=seed),
        truth=truth,
        metric=metric,
        seed=seed,
        drawing=_share(progress, 1),
        scoring=_share(progress, 2),
    )
    weighting = fitted.weighting if method is Method.WEIGHTED else (1,) * len(members)
    confusion = fitted.cross_fitted if method is Method.WEIGHTED else fitted.mean
    return Ensemble(
        method=method,
        classes=opened.classes,
        weights={name: count / sum(weighting) for name, count in zip(opened.names, weighting, strict=True)},
        singles={n: metrics.score(metric, own) for n, own in zip(opened.names, found.singles, strict=True)},
        mean_score=metrics.score(metric, fitted.mean),
        weighted_score=metrics.score(metric, fitted.cross_fitted),
        weighted_in_sample=metrics.score(metric, fitted.in_sample),
        score=metrics.score(metric, confusion),
        per_class_iou=tuple(metrics.per_class_iou(confusion.sum(axis=0)).tolist()),
        ids=opened.ids,
        confusion=confusion,
    )


def _share(progress: Progress | None, which: int) -> Progress | None:
    """Progress of one pass as progress of all."""
    if progress is None:
        return None
    return lambda done, total: progress(which * total + done, _PASSES * total)


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value
