"""What happens once an experiment's last fold is in: its score, and how sure its difference to the parent is."""

import math
from collections.abc import Callable
from dataclasses import replace
from statistics import fmean

import numpy as np

from competition.config.settings import Settings
from competition.data.manifest import Manifest
from competition.errors import CompError, StoreError
from competition.experiments import oof_matrices, snapshot
from competition.scoring import metrics
from competition.scoring.bootstrap import Bootstrap, draw, paired_error
from competition.scoring.seeds import seed_band
from competition.store import comparisons, experiments
from competition.store.comparisons import Comparison
from competition.store.engine import Store
from competition.store.experiments import Experiment
from competition.store.scores import set_score
from competition.store.splits import SplitVersion

Draws = dict[tuple[str, ...], Bootstrap]
"""By the images they are drawn from: experiments on one split share theirs."""


def complete(
    store: Store,
    settings: Settings,
    splits: dict[int, SplitVersion],
    *,
    most: int | None = None,
    scored: Callable[[str], None] = lambda _name: None,
    unscorable: Callable[[str, CompError], None] = lambda _name, _trouble: None,
) -> None:
    """Score what can be scored, and compare with its parent what can be compared, the newest first.

    Args:
        splits: by version.
        most: make at most so many comparisons (each takes up to a second), as somebody has to watch the children; a
            baseline that has got new seeds is due for one with each of its experiments.
        scored: told the name of each experiment that was scored here, whatever fails after that.
        unscorable: told the name of each experiment that cannot be scored as its files are, and what to do; the others
            go on.
    """
    draws: Draws = {}
    for experiment, repeats in experiments.unscored(store):
        own = snapshot.bound(settings, store.paths.experiment_code(experiment.name))
        try:
            if _score(store, own, experiment, repeats, splits[experiment.split_version], draws):
                scored(experiment.name)
        except StoreError:
            raise
        except CompError as trouble:
            message = f"{experiment.name} cannot be scored: {trouble.message}"
            unscorable(experiment.name, CompError(message, hint=trouble.hint))
    for experiment, parent in comparisons.pending(store, most=most):
        split = splits[experiment.split_version]
        own = snapshot.bound(settings, store.paths.experiment_code(experiment.name))
        comparisons.save(store, experiment, parent, _compare(store, own, experiment, parent, split, draws))


def _score(
    store: Store,
    settings: Settings,
    experiment: Experiment,
    repeats: tuple[int, ...],
    split: SplitVersion,
    draws: Draws,
) -> bool:
    """The competition's metric over all out-of-fold pixels: the folds' confusion matrices summed; the mean over seeds.

    Several seeds also say what a seed does to the score. False where somebody else was quicker.
    """
    found = oof_matrices.load(store.paths, experiment, folds=split.folds, repeats=repeats)
    iou = np.array([metrics.per_class_iou(run.sum(axis=0)) for run in found.runs]).mean(axis=0)
    band = None
    if len(repeats) > 1:
        band = seed_band(settings.metric, found.repeats, _bootstrap(store, split, found.ids, draws))
    scores = {r: metrics.score(settings.metric, run) for r, run in zip(repeats, found.runs, strict=True)}
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
    """The paired bootstrap of an experiment against its parent, or why there can be none."""
    try:
        shared = oof_matrices.shared_seeds(store, parent, experiment, folds=split.folds)
        a, b = (
            oof_matrices.load(store.paths, e, folds=split.folds, repeats=shared or tuple(e.repeat_scores))
            for e in (parent, experiment)
        )
        oof_matrices.check_paired(a, b)
        bootstrap = _bootstrap(store, split, a.ids, draws)
        error = paired_error(settings.metric, a.runs, b.runs, bootstrap)
    except CompError as trouble:  # its parent's files may be gone for good; the experiment has its score all the same
        return Comparison(None, 0, str(trouble))
    made = Comparison(None if math.isnan(error) else error, bootstrap.units, None)
    if not shared:
        return made
    gains = [experiment.repeat_scores[repeat] - parent.repeat_scores[repeat] for repeat in shared]
    return replace(made, delta=fmean(gains), runs=len(shared))


def _bootstrap(store: Store, split: SplitVersion, ids: tuple[str, ...], draws: Draws) -> Bootstrap:
    if ids not in draws:
        draws[ids] = draw(oof_matrices.units(Manifest.read(store.paths.manifest(split.fingerprint)), ids))
    return draws[ids]
