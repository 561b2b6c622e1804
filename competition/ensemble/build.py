"""Building an ensemble: from members to weights and scores."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from competition.data.parallel import Progress, passes_of
from competition.ensemble import region_tuning, thresholds
from competition.ensemble.blend import Weight, Weighting, weights_of
from competition.ensemble.crossfit import FittedWeights, fit, parts_of, units_of
from competition.ensemble.inputs import BlendedExperiment, OpenExperiments, open_experiments
from competition.ensemble.methods import Method
from competition.ensemble.postprocess import Postprocessing
from competition.ensemble.postprocess_types import CrossFittedBlend, TunedStep, TuningData
from competition.ensemble.rounding_bounds import bounds, count_undecided
from competition.ensemble.score_experiments import Truth, confusions, score_experiments
from competition.scoring import metrics
from competition.scoring.bootstrap import draw, error, paired_error
from competition.scoring.confusion import Matrices

_PASSES = 4


@dataclass(frozen=True)
class ScoredBlend:
    """A blend and what it is worth; scores are fractions of the competition's metric over all out-of-fold pixels.

    Args:
        method: never `auto`: what that chose.
        asked: the method that was asked for.
        classes: their names, in order.
        weights: by member, summing to 1 (in each class, where classes have their own); what test images are blended by.
        fitted_weights: those that were fitted on all images, whether the method takes them or not.
        singles: each member's own score.
        weighted_score: cross-fitted: the weights that score an image were fitted without its fold.
        weighted_in_sample: the final weights on the images that they were fitted on; optimistic.
        gain_error: the standard error of `weighted_score - mean_score`, bootstrapped over images or groups.
        score: of the chosen method; cross-fitted where weights were fitted.
        score_error: its standard error.
        doubtful_share: the share of pixels that rounding may have decided, with the thresholds that were adopted and
            before what is done to regions; None where nothing is known.
        tuned: what each step of post-processing came to, by its name, in order; empty where it was not asked for.
        bounds: the scores between which that of the unrounded blend lies (of the final weights, in-sample). None
            where post-processing was adopted, which one pixel more or less can turn.
        per_class_iou: of the chosen method, scored likewise; NaN for a class that never occurs.
        ids: the out-of-fold images.
        weighting: `weights` as whole numbers.
        confusion: int64 (N, C, C), those of the images under the chosen method and post-processing, scored likewise.
    """

    method: Method
    asked: Method
    classes: tuple[str, ...]
    weights: dict[str, Weight]
    fitted_weights: dict[str, Weight]
    singles: dict[str, float]
    mean_score: float
    weighted_score: float
    weighted_in_sample: float
    gain_error: float
    score: float
    score_error: float
    undecided_share: float | None
    bounds: tuple[float, float] | None
    tuned: Mapping[str, TunedStep]
    per_class_iou: tuple[float, ...]
    ids: tuple[str, ...]
    weighting: Weighting
    confusion: Matrices = field(repr=False, compare=False)

    @property
    def postprocessing(self) -> Postprocessing | None:
        """What is done to label maps of test images: all adopted steps."""
        return next((step.settings for step in reversed([*self.tuned.values()]) if step.is_adopted), None)

    @property
    def best_single(self) -> tuple[str, float]:
        """The best member and its score."""
        return max(self.singles.items(), key=lambda pair: pair[1])

    @property
    def optimism(self) -> float:
        """By how much the in-sample score flatters the fitted weights."""
        return self.weighted_in_sample - self.weighted_score

    def to_json(self) -> dict[str, Any]:
        """Plain values; None for what is not a number."""
        name, best = self.best_single
        return {
            "method": str(self.method),
            "asked": str(self.asked),
            "score": _plain(self.score),
            "score_error": _plain(self.score_error),
            "best_single": {"name": name, "score": _plain(best)},
            "mean_score": _plain(self.mean_score),
            "weighted_score": _plain(self.weighted_score),
            "weighted_in_sample": _plain(self.weighted_in_sample),
            "optimism": _plain(self.optimism),
            "gain_error": _plain(self.gain_error),
            "doubtful_share": self.undecided_share,
            "bounds": None if self.bounds is None else list(self.bounds),
            "postprocessing": {step: tuned.to_json(self.classes) for step, tuned in self.tuned.items()},
            "weights": self.weights,
            "fitted_weights": self.fitted_weights,
            "singles": {experiment: _plain(score) for experiment, score in self.singles.items()},
            "per_class_iou": dict(zip(self.classes, map(_plain, self.per_class_iou), strict=True)),
            "images": len(self.ids),
        }


def build(
    experiments: Sequence[BlendedExperiment],
    *,
    truth: Truth,
    metric: str,
    method: Method,
    groups: Mapping[str, str] | None = None,
    postprocess: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> ScoredBlend:
    """Score the members alone, their mean, and their weighted blend, on out-of-fold predictions.

    Args:
        truth: the labels, uint8 (H, W), of an image by its id.
        groups: the group of an image by its id, empty or missing where it has none. Groups are drawn whole for errors
            and bags, and keep together where a hold-out has to be parted again to cross-fit. Folds are taken as they
            are.
        postprocess: also tune thresholds (of a convex blend) and then what is done to regions in the same folds, and
            take each by the same rule as weights.
        progress: told of all passes over the images as of one.

    Raises:
        RefusedError: the members do not belong together.
        DataError: a shard is missing or damaged.
    """
    opened = open_experiments(experiments)
    is_convex = method is Method.AUTO or method.is_convex
    tuning_passes = (1 + thresholds.PASSES * is_convex) * postprocess
    shares = passes_of(progress, _PASSES + tuning_passes + is_convex, items=len(opened.ids))
    opened.verify("oof", progress=shares[0])
    by_class = method is Method.PER_CLASS
    found = score_experiments(opened, truth=truth, lead=int(by_class), progress=shares[1])
    units = units_of(opened.ids, groups or {})
    parts = parts_of(opened, units, seed=seed)
    fitted = fit(
        opened,
        found,
        parts=parts,
        units=units,
        truth=truth,
        metric=metric,
        seed=seed,
        by_class=by_class,
        drawing=shares[2],
        scoring=shares[3],
    )
    bootstrap = draw([str(unit) for unit in units])
    gain_error = paired_error(metric, [fitted.mean], [fitted.cross_fitted], bootstrap)
    chosen, weighting, confusion, final = _choose(opened, fitted, gain_error, method=method, truth=truth, metric=metric)
    tuned = {}
    if postprocess:
        by_part = fitted.by_part if chosen.is_fitted else (weighting,) * len(fitted.by_part)
        tuned = _postprocess(
            TuningData(opened, parts, truth, metric, bootstrap),
            CrossFittedBlend(weighting, by_part, confusion),
            method=chosen,
            seed=seed,
            progress=shares[_PASSES : _PASSES + tuning_passes],
        )
    adopted = [step for step in tuned.values() if step.is_adopted]
    decided = weighting
    if adopted:
        confusion = adopted[-1].confusion
        decided = thresholds.with_factors(weighting, adopted[-1].settings.factor)
    undecided = count_undecided(opened, decided, truth=truth, progress=shares[-1]) if is_convex else None
    return ScoredBlend(
        method=chosen,
        asked=method,
        classes=opened.classes,
        weights=dict(zip(opened.names, weights_of(weighting), strict=True)),
        fitted_weights=dict(zip(opened.names, weights_of(fitted.weighting), strict=True)),
        singles={n: metrics.score(metric, own) for n, own in zip(opened.names, found.singles, strict=True)},
        mean_score=metrics.score(metric, fitted.mean),
        weighted_score=metrics.score(metric, fitted.cross_fitted),
        weighted_in_sample=metrics.score(metric, fitted.in_sample),
        gain_error=gain_error,
        score=metrics.score(metric, confusion),
        score_error=error(metric, confusion, bootstrap),
        undecided_share=None if undecided is None else undecided.share,
        bounds=None if undecided is None or adopted else bounds(metric, final, undecided),
        per_class_iou=tuple(metrics.per_class_iou(confusion.sum(axis=0)).tolist()),
        tuned=tuned,
        ids=opened.ids,
        weighting=weighting,
        confusion=confusion,
    )


def _postprocess(
    trial: TuningData, blended: CrossFittedBlend, *, method: Method, seed: int, progress: Sequence[Progress | None]
) -> dict[str, TunedStep]:
    """Tune thresholds, then regions on the label maps that are decided with them, if they were adopted."""
    steps: dict[str, TunedStep] = {}
    start = Postprocessing.nothing(len(trial.experiments.classes))
    if method.is_convex:
        steps["thresholds"], changed = thresholds.tune(trial, blended, seed=seed, progress=progress)
        if steps["thresholds"].is_adopted:
            blended, start = changed, steps["thresholds"].settings
    steps["regions"] = region_tuning.tune(trial, blended, method=method, start=start, progress=progress[-1])
    return steps


def worth_it(metric: str, fitted: FittedWeights, gain_error: float) -> bool:
    """Whether the cross-fitted gain over equal weights exceeds one standard error."""
    gain = metrics.score(metric, fitted.cross_fitted) - metrics.score(metric, fitted.mean)
    return gain > gain_error


def _choose(
    opened: OpenExperiments, fitted: FittedWeights, gain_error: float, *, method: Method, truth: Truth, metric: str
) -> tuple[Method, Weighting, Matrices, Matrices]:
    """The method, its weighting, and the confusion matrices of its honest score and of the final weighting."""
    equal: Weighting = (1,) * len(opened.names)
    if method is Method.AUTO:
        method = Method.WEIGHTED if worth_it(metric, fitted, gain_error) else Method.MEAN
        if method is Method.WEIGHTED:
            weighting, final = _only_needed(opened, fitted, truth=truth, metric=metric)
            return method, weighting, fitted.cross_fitted, final
    if method.is_fitted:
        return method, fitted.weighting, fitted.cross_fitted, fitted.in_sample
    if method is Method.MEAN:
        return method, equal, fitted.mean, fitted.mean
    exact = confusions(opened, [equal], truth=truth, method=method)[equal]
    return method, equal, exact, exact


def _only_needed(
    opened: OpenExperiments, fitted: FittedWeights, *, truth: Truth, metric: str
) -> tuple[Weighting, Matrices]:
    """The weighting without the members that can go, one after another, without lowering the exact score."""
    weighting, exact = fitted.weighting, fitted.in_sample
    while len(held := np.flatnonzero(weighting)) > 1:
        without = [tuple(0 if m == gone else count for m, count in enumerate(weighting)) for gone in held]
        scored = confusions(opened, without, truth=truth)
        best = max(without, key=lambda counts: metrics.score(metric, scored[counts]))
        if metrics.score(metric, scored[best]) < metrics.score(metric, exact):
            break
        weighting, exact = best, scored[best]
    return weighting, exact


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value
