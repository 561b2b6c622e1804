"""What each member does for a blend, and which images the blend changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from competition.data.images import Pixels
from competition.data.load import Loader
from competition.data.manifest import Item
from competition.data.parallel import Progress, in_threads
from competition.ensemble.blend import TOTAL, Weighting, best_class, blend
from competition.ensemble.build import ScoredBlend
from competition.ensemble.inputs import BlendedExperiment, open_experiments
from competition.ensemble.score_experiments import Truth, flat
from competition.scoring import confusion, metrics
from competition.scoring.confusion import Matrices

MOST_CHANGED = 3
"""Images that gained most, and as many that lost most, are kept for a picture."""


@dataclass(frozen=True)
class ChangedImage:
    """An image that the blend changed.

    Args:
        change: its score under the blend less that under the best single experiment, a fraction.
        image: uint8 (H, W, 3).
        truth: its labels, uint8 (H, W); `single` and `blend` likewise are what the best single experiment and the blend
            predict.
    """

    id: str
    change: float
    image: Pixels
    truth: Pixels
    single: Pixels
    blend: Pixels


@dataclass(frozen=True)
class Explanation:
    """Exact, of the final weights on all out-of-fold images (which fitted weights were fitted on).

    Args:
        names: the members, M of them.
        contribution: by member, what the score loses without it, the others' weights staying as they are; NaN for a
            member that has no weight, or is the only one that has.
        class_effect: float64 (M, C), what each class's IoU loses without it.
        disagreement: float64 (M, M), the share of the pixels on which two members name different classes.
        best: the best single member.
        ids: the images, N of them.
        change: float64 (N,), the score of each image under the blend less that under the best single member; NaN where
            an image has no score.
    """

    names: tuple[str, ...]
    classes: tuple[str, ...]
    contribution: dict[str, float]
    class_effect: NDArray[np.float64]
    disagreement: NDArray[np.float64]
    best: str
    ids: tuple[str, ...]
    change: NDArray[np.float64]

    def most_changed(self, number: int) -> list[int]:
        """The rows of the images that gained most, best first, and of those that lost most, worst last."""
        order = [int(row) for row in np.argsort(-self.change, kind="stable") if np.isfinite(self.change[row])]
        gained = [row for row in order if self.change[row] > 0][:number]
        lost = [row for row in order if self.change[row] < 0][-number:]
        return gained + lost

    def to_json(self) -> dict[str, Any]:
        """Plain values; None for what is not a number."""
        effects = {
            name: dict(zip(self.classes, map(_plain, row), strict=True))
            for name, row in zip(self.names, self.class_effect.tolist(), strict=True)
        }
        return {
            "contribution": {name: _plain(value) for name, value in self.contribution.items()},
            "class_effect": effects,
            "disagreement": self.disagreement.tolist(),
            "best_single": self.best,
            "change": {image_id: _plain(c) for image_id, c in zip(self.ids, self.change.tolist(), strict=True)},
        }


def explain(
    experiments: Sequence[BlendedExperiment],
    made: ScoredBlend,
    *,
    truth: Truth,
    metric: str,
    progress: Progress | None = None,
) -> Explanation:
    """Leave each member out in turn, and compare members with each other and images with themselves.

    Raises:
        RefusedError, DataError: see `open_experiments`.
    """
    opened = open_experiments(experiments)
    classes, names = len(opened.classes), opened.names
    best, _ = made.best_single
    weightings = [made.weighting, *(without(made.weighting, m) for m in range(len(names)))]
    distinct = [weighting for weighting in dict.fromkeys(weightings) if weighting is not None]

    def one(image_id: str) -> tuple[Matrices, Matrices, Matrices]:
        labels, views = truth(image_id), opened.oof_views(image_id)
        answers = [best_class(view) for view in flat(views)]
        blended = [confusion.count(blend(views, w, made.method), labels, classes) for w in distinct]
        single = confusion.count(answers[names.index(best)].reshape(labels.shape), labels, classes)
        differing = np.array([[np.count_nonzero(a != b) for b in answers] for a in answers], dtype=np.int64)
        return np.stack(blended), single, differing

    found = in_threads(one, opened.ids, progress=progress)
    exact = dict(zip(distinct, np.stack([blended for blended, _, _ in found], axis=1), strict=True))
    whole = exact[made.weighting]
    ious = metrics.per_class_iou(whole.sum(axis=0))
    lost = [None if w is None or w == made.weighting else exact[w] for w in weightings[1:]]
    nothing = np.full(classes, np.nan)
    pixels = sum(height * width for shard in opened.oof[0] for height, width in shard.sizes.values())
    change = metrics.score_each(metric, whole) - metrics.score_each(
        metric, np.stack([single for _, single, _ in found])
    )
    return Explanation(
        names=names,
        classes=opened.classes,
        contribution={
            name: float("nan") if rest is None else metrics.score(metric, whole) - metrics.score(metric, rest)
            for name, rest in zip(names, lost, strict=True)
        },
        class_effect=np.stack(
            [nothing if rest is None else ious - metrics.per_class_iou(rest.sum(axis=0)) for rest in lost]
        ),
        disagreement=np.sum([differing for _, _, differing in found], axis=0) / pixels,
        best=best,
        ids=opened.ids,
        change=change,
    )


def without(weighting: Weighting, experiment: int) -> Weighting | None:
    """The weighting without a member; None where nothing would be left.

    Weights by class are stretched to their old sum; a class that only this member spoke for goes to all others alike.
    """
    if not any(isinstance(count, tuple) for count in weighting):
        rest = tuple(0 if m == experiment else count for m, count in enumerate(weighting))
        return rest if any(rest) else None
    if len(weighting) == 1:
        return None
    table = np.array(weighting, dtype=np.float64)
    table[experiment] = 0
    others = np.arange(len(table)) != experiment
    table[:, table.sum(axis=0) == 0] = others[:, None]
    stretched = np.floor(TOTAL * table / table.sum(axis=0)).astype(int)
    stretched[np.argmax(stretched, axis=0), np.arange(table.shape[1])] += TOTAL - stretched.sum(axis=0)
    return tuple(tuple(row) for row in stretched.tolist())


def changed_images(
    experiments: Sequence[BlendedExperiment],
    made: ScoredBlend,
    explanation: Explanation,
    loader: Loader,
    items: Mapping[str, Item],
) -> tuple[ChangedImage, ...]:
    """The images that gained most and those that lost most, at most `MOST_CHANGED` of each."""
    opened = open_experiments(experiments)
    best = opened.names.index(explanation.best)
    changed = []
    for row in explanation.most_changed(MOST_CHANGED):
        item = items[explanation.ids[row]]
        views = opened.oof_views(item.id)
        single, blended = blend([views[best]], (1,)), blend(views, made.weighting, made.method)
        change = float(explanation.change[row])
        changed.append(ChangedImage(item.id, change, loader.image(item), loader.labels(item), single, blended))
    return tuple(changed)


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else value
