"""Two complete experiments side by side: the difference of the score, of each class, and of single images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from competition.config.settings import Settings
from competition.experiments import oof_matrices
from competition.experiments.oof_matrices import OofPair
from competition.experiments.verdicts import seed_deviation
from competition.scoring import metrics
from competition.scoring.bootstrap import Bootstrap, paired_error
from competition.scoring.imagewise import ImageChange, image_changes, most_changed
from competition.scoring.student import quantile
from competition.scoring.verdicts import LEVEL, Effect, Verdict, judge
from competition.store import experiments
from competition.store.engine import Store
from competition.store.experiments import Experiment
from competition.store.splits import SplitVersion


@dataclass(frozen=True)
class ClassChange:
    """One class's IoU in both, a fraction (the mean over seeds), NaN if the class never occurs.

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
        shared: the seeds in which both are the same trained models; if there are any, only these are compared.
        seeds_from: the experiments whose seeds give the seed deviation; empty if none has several seeds.
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
        DataError: a file of one of them is missing or damaged.
    """
    pair = oof_matrices.load_pair(store, a, b, folds=split.folds)
    bootstrap = oof_matrices.bootstrap(store.paths, split, pair.a.ids)
    effect, seeds_from = _effect(store, settings.metric, a, b, pair, bootstrap)
    return ExperimentComparison(
        effect,
        judge(effect),
        pair.shared,
        seeds_from,
        _classes(settings.classes, pair, bootstrap),
        _images(settings.metric, pair),
    )


def _effect(
    store: Store, metric: str, a: Experiment, b: Experiment, pair: OofPair, bootstrap: Bootstrap
) -> tuple[Effect, tuple[str, ...]]:
    """The difference of the scores, and the experiments whose seeds give its seed deviation."""
    scores = [np.mean([metrics.score(metric, run) for run in side.runs]) for side in (pair.a, pair.b)]
    delta, runs = float(scores[1] - scores[0]), (len(pair.a.repeats), len(pair.b.repeats))
    error = paired_error(metric, pair.a.runs, pair.b.runs, bootstrap)
    if pair.shared:
        return Effect(delta, error, bootstrap.units, runs, None, same_models=True), ()
    baseline = experiments.baseline_of(store, b)
    lender = None if baseline is None else (baseline.name, baseline.band)
    band, seeds_from = seed_deviation({e.name: e.band for e in (a, b)}, lender)
    return Effect(delta, error, bootstrap.units, runs, band), seeds_from


def _classes(names: Sequence[str], pair: OofPair, bootstrap: Bootstrap) -> tuple[ClassChange, ...]:
    runs, seeds = [*pair.a.runs, *pair.b.runs], len(pair.a.runs)
    drawn = bootstrap.class_iou(runs)
    difference = drawn[:, seeds:].mean(axis=1) - drawn[:, :seeds].mean(axis=1)
    iou = [metrics.per_class_iou(run.sum(axis=0)) for run in runs]
    before, after = np.mean(iou[:seeds], axis=0), np.mean(iou[seeds:], axis=0)
    return tuple(
        ClassChange(name, float(before[c]), float(after[c]), _half(difference[:, c], bootstrap.units))
        for c, name in enumerate(names)
    )


def _half(differences: np.ndarray, units: int) -> float:
    """Half the width of the 95 % interval of a difference, from its draws; NaN if there are too few to draw from."""
    usable = differences[~np.isnan(differences)]
    if units < 2 or len(usable) < 2:
        return math.nan
    error = float(usable.std(ddof=1)) * math.sqrt(units / (units - 1))
    return quantile(1 - LEVEL / 2, units - 1) * error


def _images(metric: str, pair: OofPair) -> tuple[ImageChange, ...]:
    before, after = (
        np.mean([metrics.score_each(metric, run) for run in side.runs], axis=0) for side in (pair.a, pair.b)
    )
    return image_changes(pair.a.ids, before, after)
