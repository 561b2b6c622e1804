"""Scoring an experiment once its last fold is in."""

import math

import numpy as np

from competition.queue import snapshot
from competition.scoring import confusion, metrics
from competition.settings import Settings
from competition.store import experiments
from competition.store.engine import Store
from competition.store.experiments import Experiment


def score_complete(store: Store, settings: Settings, *, folds: dict[int, int]) -> list[str]:
    """Score every experiment whose folds are all there and that has no score yet; their names.

    The score is the competition's metric over all out-of-fold pixels: the folds' confusion matrices summed.

    Args:
        folds: the number of folds by split version.
    """
    names = []
    for experiment in experiments.unscored(store):
        matrices = out_of_fold(store, experiment, folds=folds[experiment.split_version])
        iou = metrics.per_class_iou(matrices.sum(axis=0))
        metric = snapshot.bound(settings, store.paths.experiment_code(experiment.name)).metric
        experiments.set_score(
            store,
            experiment,
            score=float(metrics.score(metric, matrices)),
            class_iou=[None if math.isnan(x) else float(x) for x in iou],
        )
        names.append(experiment.name)
    return names


def out_of_fold(store: Store, experiment: Experiment, *, folds: int) -> np.ndarray:
    """The confusion matrices of every out-of-fold image, int64 (N, C, C), fold after fold."""
    loaded = [confusion.load(store.paths.job(experiment.name, k).confusion)[1] for k in range(folds)]
    return np.concatenate(loaded)
