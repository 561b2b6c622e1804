"""Weights that are never scored on what they were fitted on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.data.parallel import Progress, in_threads
from competition.ensemble.blend import Weighting
from competition.ensemble.inputs import OpenExperiments
from competition.ensemble.pixel_sample import draw_sample
from competition.ensemble.score_experiments import ExperimentScores, Truth, confusions
from competition.ensemble.search import by_class as search_by_class
from competition.ensemble.search import search
from competition.scoring import metrics
from competition.scoring.confusion import Matrices

HOLDOUT_PARTS = 5


@dataclass(frozen=True)
class FittedWeights:
    """Fitted weights.

    Args:
        weighting: fitted on all images; what test images are blended with.
        by_part: those fitted without each part, in the order of the parts' numbers.
        mean: (N, C, C), the confusion matrices of equal weights.
        in_sample: (N, C, C), those of `weighting`; optimistic, as these images chose it.
        cross_fitted: (N, C, C), each image's under weights that were fitted without the image's part.
    """

    weighting: Weighting
    by_part: tuple[Weighting, ...]
    mean: Matrices
    in_sample: Matrices
    cross_fitted: Matrices


def fit(
    experiments: OpenExperiments,
    found: ExperimentScores,
    *,
    parts: NDArray[np.int64],
    units: NDArray[np.int64],
    truth: Truth,
    metric: str,
    seed: int,
    by_class: bool = False,
    drawing: Progress | None = None,
    scoring: Progress | None = None,
) -> FittedWeights:
    """Fit weights on all images, and once more without each part.

    The search works on a sample of pixels. What it finds is then scored exactly, on the images that it was fitted on,
    beside equal weights and every member alone; the best of these is taken, and equal weights where they are as good.

    Args:
        parts: (N,), the part of each image.
        units: (N,), the group of each image.
        by_class: fit weights for each class by itself; `found` was surveyed with lead 1.
        drawing: progress of reading the sample.
        scoring: progress of scoring the blends exactly.
    """
    sample = draw_sample(experiments, found, truth=truth, seed=seed, lead=int(by_class), progress=drawing)

    def candidates(images: NDArray[np.bool_]) -> list[Weighting]:
        part = sample.repeated(images)
        plain = search(part, metric, units=units, seed=seed)
        return [*plain, search_by_class(part, metric, plain[-1])] if by_class else plain

    seen = all_but_each(parts)
    searched = in_threads(candidates, seen)
    number = len(experiments.names)
    equal: Weighting = (1,) * number
    singles: list[Weighting] = [tuple(int(m == k) for m in range(number)) for k in range(number)]
    exact = dict(zip(singles, found.singles, strict=True))
    wanted = dict.fromkeys([equal, *(weighting for finalists in searched for weighting in finalists)])
    exact |= confusions(experiments, [w for w in wanted if w not in exact], truth=truth, progress=scoring)

    chosen = [
        _best([equal, *finalists, *singles], exact, metric, images)
        for finalists, images in zip(searched, seen, strict=True)
    ]
    cross_fitted = of_each(parts, [exact[weighting] for weighting in chosen[:-1]])
    return FittedWeights(chosen[-1], tuple(chosen[:-1]), exact[equal], exact[chosen[-1]], cross_fitted)


def all_but_each(parts: NDArray[np.int64]) -> list[NDArray[np.bool_]]:
    """Which images (N,) a fit sees: all but a part's, for each part in the order of their numbers; at last, all."""
    return [*(parts != part for part in np.unique(parts)), np.ones(len(parts), dtype=bool)]


def of_each(parts: NDArray[np.int64], found: Sequence[Matrices]) -> Matrices:
    """The confusion matrix (N, C, C) of each image as its own part's fit has it; `found` has an entry for each part."""
    put_together = np.empty_like(found[0])
    for part, matrices in zip(np.unique(parts), found, strict=True):
        put_together[parts == part] = matrices[parts == part]
    return put_together


def units_of(ids: Sequence[str], groups: Mapping[str, str]) -> NDArray[np.int64]:
    """A number (N,) for the group of each image; an image without a group is one by itself."""
    names = [groups.get(image_id) or f"alone {image_id}" for image_id in ids]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int64)


def parts_of(experiments: OpenExperiments, units: NDArray[np.int64], *, seed: int) -> NDArray[np.int64]:
    """The part (N,) that each out-of-fold image belongs to: its fold, or one of five where there is a single fold.

    The five are dealt at random, as equal in images as whole groups (`units`) allow.
    """
    if len(experiments.oof[0]) > 1:
        return np.array([experiments.fold_of[image_id] for image_id in experiments.ids], dtype=np.int64)
    blocks = [np.flatnonzero(units == unit) for unit in range(int(units.max()) + 1)]
    order = np.random.default_rng(seed).permutation(len(blocks))
    parts = np.zeros(len(units), dtype=np.int64)
    filled = np.zeros(min(HOLDOUT_PARTS, len(blocks)), dtype=np.int64)
    for block in sorted((blocks[b] for b in order), key=len, reverse=True):
        smallest = int(filled.argmin())
        parts[block] = smallest
        filled[smallest] += len(block)
    return parts


def _best(
    candidates: Sequence[Weighting], exact: Mapping[Weighting, Matrices], metric: str, images: NDArray[np.bool_]
) -> Weighting:
    """The candidate that scores best on the images, the first where several do or there is nothing to score."""
    scores = np.array([metrics.score(metric, exact[candidate][images]) for candidate in candidates])
    return candidates[int(np.nan_to_num(scores).argmax())]
