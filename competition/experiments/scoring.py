"""Scoring an experiment after its last fold, and comparing it with its parent."""

import math
from collections.abc import Callable
from statistics import fmean

import numpy as np

from competition.config.settings import Settings
from competition.errors import CompError, StoreError
from competition.experiments import oof_matrices, snapshot
from competition.scoring import metrics
from competition.scoring.bootstrap import Bootstrap, paired_error
from competition.scoring.seeds import seed_band
from competition.store import comparisons, experiments, splits
from competition.store.comparisons import Comparison
from competition.store.engine import Store
from competition.store.experiments import Experiment
from competition.store.scores import set_score
from competition.store.splits import SplitVersion

Draws = dict[tuple[str, ...], Bootstrap]
"""By the images that they are drawn from: experiments on one split share theirs."""


def score_and_compare(
    store: Store,
    settings: Settings,
    *,
    most: int | None = None,
    on_scored: Callable[[str], None] = lambda _name: None,
    on_unscorable: Callable[[str, CompError], None] = lambda _name, _trouble: None,
) -> None:
    """Score every experiment whose folds are done, then compare those that have a score with their parents.

    Args:
        most: make at most this many comparisons, the newest experiments first. Each takes up to a second, during which
            a worker does not watch its children; a baseline with new seeds makes one due for each of its experiments.
        on_scored: called with the name of each experiment that was scored here, whatever fails after that.
        on_unscorable: called with the name of each experiment whose files are missing or damaged, and the command that
            writes them again; the others go on.
    """
    draws: Draws = {}
    by_version = {split.version: split for split in splits.every(store)}
    for experiment, repeats in experiments.unscored(store):
        own = snapshot.bound(settings, store.paths.experiment_code(experiment.name))
        try:
            if _score(store, own, experiment, repeats, by_version[experiment.split_version], draws):
                on_scored(experiment.name)
        except StoreError:
            raise  # no fault of the experiment
        except CompError as trouble:
            message = f"{experiment.name} cannot be scored: {trouble.message}"
            on_unscorable(experiment.name, CompError(message, hint=trouble.hint))
    for experiment, parent in comparisons.pending(store, most=most):
        own = snapshot.bound(settings, store.paths.experiment_code(experiment.name))
        comparison = _compare(store, own, experiment, parent, by_version[experiment.split_version], draws)
        comparisons.save(store, experiment, parent, comparison)


def _score(
    store: Store,
    settings: Settings,
    experiment: Experiment,
    repeats: tuple[int, ...],
    split: SplitVersion,
    draws: Draws,
) -> bool:
    """Record the metric over all out-of-fold pixels, the mean over seeds; False if another worker was quicker.

    The matrices of the folds are summed. Several seeds also give the seed deviation.
    """
    matrices = oof_matrices.load(store.paths, experiment, folds=split.folds, repeats=repeats)
    iou = np.array([metrics.per_class_iou(run.sum(axis=0)) for run in matrices.runs]).mean(axis=0)
    band = None
    if len(repeats) > 1:
        band = seed_band(settings.metric, matrices.repeats, _bootstrap(store, split, matrices.ids, draws))
    scores = {r: metrics.score(settings.metric, run) for r, run in zip(repeats, matrices.runs, strict=True)}
    return set_score(
        store,
        experiment.id,
        score=fmean(scores.values()),
        repeat_scores=scores,
        class_iou=[None if math.isnan(x) else float(x) for x in iou],
        band=band,
    )


def _compare(
    store: Store, settings: Settings, experiment: Experiment, parent: Experiment, split: SplitVersion, draws: Draws
) -> Comparison:
    """The paired bootstrap of an experiment against its parent, or the reason why there is none."""
    try:
        pair = oof_matrices.load_pair(store, parent, experiment, folds=split.folds)
        bootstrap = _bootstrap(store, split, pair.a.ids, draws)
        error = paired_error(settings.metric, pair.a.runs, pair.b.runs, bootstrap)
    except CompError as trouble:  # the parent's files may be gone for good; the experiment keeps its score even so
        return Comparison(None, 0, str(trouble))
    se_images = None if math.isnan(error) else error
    if not pair.shared:
        return Comparison(se_images, bootstrap.units, None)
    gains = [experiment.repeat_scores[repeat] - parent.repeat_scores[repeat] for repeat in pair.shared]
    return Comparison(se_images, bootstrap.units, None, delta=fmean(gains), runs=len(gains))


def _bootstrap(store: Store, split: SplitVersion, ids: tuple[str, ...], draws: Draws) -> Bootstrap:
    if ids not in draws:
        draws[ids] = oof_matrices.bootstrap(store.paths, split, ids)
    return draws[ids]
