"""Two complete experiments against each other: what differs in the score, in each class, and in single images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from competition.config.settings import Settings
from competition.data.manifest import Manifest
from competition.experiments import oof_matrices
from competition.experiments.oof_matrices import OofMatrices
from competition.experiments.verdicts import seed_deviation
from competition.scoring import metrics
from competition.scoring.bootstrap import Bootstrap, draw, paired_error
from competition.scoring.imagewise import ImageChange, image_changes, most_changed
from competition.scoring.student import quantile
from competition.scoring.verdicts import LEVEL, Effect, Verdict, judge
from competition.store import experiments
from competition.store.engine import Store
from competition.store.experiments import Experiment
from competition.store.splits import SplitVersion


@dataclass(frozen=True)
class ClassChange:
    """One class's IoU in both, a fraction (the mean over seeds), NaN where it never occurs.

    Args:
        half: half the width of the 95 % interval of the difference, from images alone.
    """

    name: str
    a: float
    b: float
    half: float


@dataclass(frozen=True)
class ExperimentComparison:
    """Experiment b against experiment a.

    Args:
        shared: the seeds in which both are the same trained models, which alone are compared then.
        seeds_from: whose repeats say what a seed does to the score; empty where nobody has any.
        images: every image that can be scored by itself, the largest loss first.
    """

    effect: Effect
    verdict: Verdict
    shared: tuple[int, ...]
    seeds_from: tuple[str, ...]
    classes: tuple[ClassChange, ...]
    images: tuple[ImageChange, ...]

    def to_json(self, *, most: int) -> dict[str, Any]:
        """Plain values, with the `most` images that lost or gained most."""
        verdict = self.verdict
        return {
            "call": verdict.call.value,
            "delta": self.effect.delta,
            "low": verdict.low,
            "high": verdict.high,
            "p": verdict.p,
            "detectable": verdict.detectable,
            "seeds_wanted": verdict.seeds_wanted,
            "seeds": list(self.effect.runs),
            "same_models": self.effect.same_models,
            "seeds_from": list(self.seeds_from),
            "units": self.effect.units,
            "class_half": {c.name: None if math.isnan(c.half) else c.half for c in self.classes},
            "images": [{"id": i.id, "a": i.a, "b": i.b, "delta": i.delta} for i in most_changed(self.images, most)],
        }


def compare_experiments(
    store: Store, settings: Settings, a: Experiment, b: Experiment, split: SplitVersion
) -> ExperimentComparison:
    """Compare two complete experiments on one split.

    Raises:
        DataError: what one of them left is missing or damaged.
    """
    shared = oof_matrices.shared_seeds(store, a, b, folds=split.folds)
    left, right = (
        oof_matrices.load(store.paths, e, folds=split.folds, repeats=shared or tuple(e.repeat_scores)) for e in (a, b)
    )
    oof_matrices.check_paired(left, right)
    bootstrap = draw(oof_matrices.units(Manifest.read(store.paths.manifest(split.fingerprint)), left.ids))
    effect, seeds_from = _effect(store, settings.metric, (a, left), (b, right), bootstrap, same_models=bool(shared))
    return ExperimentComparison(
        effect,
        judge(effect),
        shared,
        seeds_from,
        _classes(settings.classes, left, right, bootstrap),
        _images(settings.metric, left, right),
    )


def _effect(
    store: Store,
    metric: str,
    a: tuple[Experiment, OofMatrices],
    b: tuple[Experiment, OofMatrices],
    bootstrap: Bootstrap,
    *,
    same_models: bool,
) -> tuple[Effect, tuple[str, ...]]:
    baseline = experiments.baseline_of(store, b[0])
    lender = None if baseline is None else (baseline.name, baseline.band)
    band, seeds_from = seed_deviation({e.name: e.band for e, _ in (a, b)}, lender)
    if same_models:
        band, seeds_from = None, ()
    scores = [np.mean([metrics.score(metric, run) for run in found.runs]) for _, found in (a, b)]
    error = paired_error(metric, a[1].runs, b[1].runs, bootstrap)
    runs = (len(a[1].repeats), len(b[1].repeats))
    return Effect(float(scores[1] - scores[0]), error, bootstrap.units, runs, band, same_models), seeds_from


def _classes(names: Sequence[str], a: OofMatrices, b: OofMatrices, bootstrap: Bootstrap) -> tuple[ClassChange, ...]:
    drawn = bootstrap.class_iou([*a.runs, *b.runs])
    difference = drawn[:, len(a.runs) :].mean(axis=1) - drawn[:, : len(a.runs)].mean(axis=1)
    before, after = (
        np.mean([metrics.per_class_iou(run.sum(axis=0)) for run in found.runs], axis=0) for found in (a, b)
    )
    return tuple(
        ClassChange(name, float(before[c]), float(after[c]), _half(difference[:, c], bootstrap.units))
        for c, name in enumerate(names)
    )


def _half(differences: np.ndarray, units: int) -> float:
    """Half of the 95 % interval that the draws of one number leave; NaN where too little can be drawn."""
    usable = differences[~np.isnan(differences)]
    if units < 2 or len(usable) < 2:
        return math.nan
    error = float(usable.std(ddof=1)) * math.sqrt(units / (units - 1))
    return quantile(1 - LEVEL / 2, units - 1) * error


def _images(metric: str, a: OofMatrices, b: OofMatrices) -> tuple[ImageChange, ...]:
    before, after = (np.mean([metrics.score_each(metric, run) for run in found.runs], axis=0) for found in (a, b))
    return image_changes(a.ids, before, after)
