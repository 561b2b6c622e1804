"""Fitting weights: greedy selection with replacement.

Caruana et al., Ensemble selection from libraries of models, ICML 2004. From equal weights, the member whose addition
scores best is added once more, again and again; the best weighting on the way wins. Adding alone never rids a blend of
a member, so those that can go without loss are then dropped.
"""

from collections.abc import Sequence
from math import gcd

import numpy as np
from numpy.typing import NDArray

from competition.data.probabilities import LEVELS
from competition.ensemble.blend import Weighting, best_class, weighted_sum
from competition.ensemble.pixels import Sample
from competition.scoring import metrics

STEPS = 60
PATIENCE = 12
"""How many additions in a row may bring nothing before the search ends."""


def search(sample: Sample, metric: str) -> Weighting:
    """The weighting that scores best on the sample; equal weights where nothing scores better. Deterministic."""
    objective = _Objective(sample, metric)
    best = _drop_idle(_greedy(objective, len(sample.values)), objective)
    divisor = gcd(*best)
    return tuple(count // divisor for count in best)


class _Objective:
    """The estimated score of weightings on one sample."""

    def __init__(self, sample: Sample, metric: str) -> None:
        self._metric = metrics.stand_in(metric)
        self._classes = sample.settled.shape[-1]
        self._settled = sample.settled.sum(axis=0)
        self._rows = sample.truth * self._classes
        self._weight = sample.weight
        self.values = sample.values

    def score(self, sums: NDArray[np.unsignedinteger]) -> float:
        """The score of a weighting whose weighted sum of probabilities is (C, P)."""
        cells = self._rows + best_class(sums)
        counted = np.bincount(cells, weights=self._weight, minlength=self._classes**2)
        return metrics.score(self._metric, self._settled + counted.reshape(self._classes, self._classes))

    def score_of(self, counts: Sequence[int]) -> float:
        """The score of a weighting."""
        return self.score(weighted_sum(list(self.values), counts))


def _greedy(objective: _Objective, members: int) -> Weighting:
    counts = [1] * members
    # The type must hold the sums of the last step, so all steps are promised to it at once.
    sums = weighted_sum(list(objective.values), counts).astype(np.min_scalar_type(LEVELS * (members + STEPS)))
    best, best_score, idle = tuple(counts), objective.score(sums), 0
    for _ in range(STEPS):
        scores = [objective.score(sums + value) for value in objective.values]
        chosen = int(np.argmax(scores))
        counts[chosen] += 1
        sums += objective.values[chosen]
        if scores[chosen] > best_score:
            best, best_score, idle = tuple(counts), scores[chosen], 0
        else:
            idle += 1
        if idle == PATIENCE:
            break
    return best


def _drop_idle(counts: Weighting, objective: _Objective) -> Weighting:
    """Without the members that can go without loss, the lightest first."""
    score = objective.score_of(counts)
    for member in sorted(range(len(counts)), key=lambda m: counts[m]):
        without = tuple(0 if m == member else count for m, count in enumerate(counts))
        if any(without) and (lighter := objective.score_of(without)) >= score:
            counts, score = without, lighter
    return counts
