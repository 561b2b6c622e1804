"""Fitting weights: greedy selection with replacement, bagged over images, then refined on the simplex.

Caruana et al., Ensemble selection from libraries of models, ICML 2004: from equal weights, the member whose addition
scores best is added once more, again and again; the best weighting on the way wins. Each bag does so on images drawn
with replacement (whole groups), and the bags' weights are averaged, so that no few images decide. The average is then
improved by Nelder and Mead's simplex search (1965), which needs no gradient: scores of decisions have none. Adding
alone never rids a blend of a member, so those that can go without loss are dropped.
"""

import numpy as np
from numpy.typing import NDArray

from competition.ensemble.blend import (
    TOTAL,
    Weighting,
    best_class,
    rounded,
    total_of,
    weighted_sum,
)
from competition.ensemble.methods import Planes
from competition.ensemble.pixel_sample import PixelSample
from competition.predictions.probabilities import LEVELS, two_best
from competition.scoring import metrics

BAGS = 8
STEPS = 60
PATIENCE = 12
"""How many additions in a row may bring nothing before the search ends."""
_ROUNDS = 2
_EVALUATIONS = 30
"""Of the simplex search, for each member."""

Shares = NDArray[np.float64]


def search(sample: PixelSample, metric: str, *, units: NDArray[np.int64], seed: int) -> list[Weighting]:
    """Weightings worth being scored exactly, the most refined last. Deterministic.

    Args:
        units: int64 (N,), the group of each image; groups are drawn whole.
    """
    objective = Objective(sample, metric)
    experiments = len(sample.values)
    shares = np.mean([_shares(greedy(Objective(bag, metric))) for bag in _bags(sample, units, seed)], axis=0)
    bagged = _drop_idle(rounded(shares), objective)
    refined = _drop_idle(_refine(bagged, objective), objective) if experiments > 1 else bagged
    return list(dict.fromkeys([bagged, refined]))


def by_class(sample: PixelSample, metric: str, start: Weighting) -> Weighting:
    """Weights for each class by itself: from `start`, one class after another leans towards the member that helps most.

    Args:
        sample: drawn with lead 1.
    """
    objective = Objective(sample, metric)
    classes = sample.settled.shape[-1]
    table = np.repeat(np.array(rounded_to_total(_shares(start)))[:, None], classes, axis=1)
    best = objective.score_of(_by_class(table))
    for _ in range(_ROUNDS):
        for index in range(classes):
            leaning = [_leaning(table, index, experiment) for experiment in range(len(table))]
            scores = [objective.score_of(_by_class(changed)) for changed in leaning]
            if max(scores) > best:
                best, table = max(scores), leaning[int(np.argmax(scores))]
    return _by_class(table)


def greedy(objective: "Objective") -> Weighting:
    """Caruana's selection from equal weights.

    A step that adds one member moves no class by more than 255 against another. So only pixels whose two best sums lie
    that close can change, and only these are looked at again.
    """
    experiments = len(objective.values)
    counts = [1] * experiments
    # The type must hold the sums of the last step, so all steps are promised to it at once.
    sums = weighted_sum(list(objective.values), counts).astype(np.min_scalar_type(LEVELS * (experiments + STEPS)))
    best, best_score, idle = tuple(counts), objective.score(sums), 0
    for _ in range(STEPS):
        scores = objective.scores_after_adding(sums)
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


class Objective:
    """The estimated score of weightings on one sample."""

    def __init__(self, sample: PixelSample, metric: str) -> None:
        self._metric = metrics.stand_in(metric)
        self._classes = sample.settled.shape[-1]
        self._settled = sample.settled.sum(axis=0)
        self._rows = sample.truth * self._classes
        self._weight = sample.weight
        self.values = sample.values

    def score(self, sums: Planes) -> float:
        """The score of a weighting whose weighted sums of probabilities are (C, P)."""
        return self.score_named(best_class(sums))

    def score_named(self, labels: NDArray[np.integer]) -> float:
        """The score where the pixels are named so, (P,)."""
        matrix = self._settled + self._count(labels, self._rows, self._weight)
        return metrics.score(self._metric, matrix)

    def score_of(self, counts: Weighting) -> float:
        """The score of a weighting."""
        return self.score(weighted_sum(list(self.values), counts))

    def scores_after_adding(self, sums: Planes) -> NDArray[np.float64]:
        """The score after each of the members has been added once more to `sums` (C, P)."""
        best, second = two_best(sums)
        is_loose = best - second <= LEVELS
        fixed, loose = np.flatnonzero(~is_loose), np.flatnonzero(is_loose)
        settled = self._settled + self._count(best_class(sums[:, fixed]), self._rows[fixed], self._weight[fixed])
        rows, weight, near = self._rows[loose], self._weight[loose], sums[:, loose]
        counted = [self._count(best_class(near + value[:, loose]), rows, weight) for value in self.values]
        return metrics.score_each(self._metric, settled + np.stack(counted))

    def _count(
        self, labels: NDArray[np.integer], rows: NDArray[np.int64], weight: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        counted = np.bincount(rows + labels, weights=weight, minlength=self._classes**2)
        return counted.reshape(self._classes, self._classes).astype(np.float64)


def rounded_to_total(shares: Shares) -> tuple[int, ...]:
    """`rounded`, always adding up to 256."""
    counts = rounded(shares)
    factor = TOTAL // total_of(counts)
    return tuple(int(count) * factor for count in counts if isinstance(count, int))


def _bags(sample: PixelSample, units: NDArray[np.int64], seed: int) -> list[PixelSample]:
    """The sample as if its images had been drawn with replacement, several times."""
    pixels = sample.settled.sum(axis=(1, 2)) + np.bincount(sample.image, minlength=len(units))
    present = np.unique(units[pixels > 0])
    if len(present) < 2:
        return [sample]
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(len(present), np.full(len(present), 1 / len(present)), size=BAGS)
    times = np.zeros((BAGS, int(units.max()) + 1), dtype=np.int64)
    times[:, present] = drawn
    return [sample.repeated(of_unit[units]) for of_unit in times]


def _refine(start: Weighting, objective: Objective) -> Weighting:
    """The best weighting that Nelder and Mead's search finds from `start`, among the members that it holds."""
    from scipy.optimize import minimize  # heavy: only a search pays for it

    shares = _shares(start)
    held = np.flatnonzero(shares)
    if len(held) < 2:
        return start

    def weighting(point: Shares) -> Weighting:
        full = np.zeros_like(shares)
        full[held] = np.abs(point) + 1e-9
        return rounded(full / full.sum())

    corners = np.vstack([shares[held], *(shares[held] + 0.1 * np.eye(len(held)))])
    found = minimize(
        lambda point: -np.nan_to_num(objective.score_of(weighting(point))),
        shares[held],
        method="Nelder-Mead",
        options={"initial_simplex": corners, "maxfev": _EVALUATIONS * len(held), "xatol": 1 / TOTAL, "fatol": 1e-6},
    )
    refined = weighting(found.x)
    return refined if objective.score_of(refined) > objective.score_of(start) else start


def _drop_idle(counts: Weighting, objective: Objective) -> Weighting:
    """Without the members that can go without loss, the lightest first."""
    score = objective.score_of(counts)
    for experiment in np.argsort(_shares(counts), kind="stable"):
        without = tuple(0 if m == experiment else count for m, count in enumerate(counts))
        if counts[experiment] and any(without) and (lighter := objective.score_of(without)) >= score:
            counts, score = without, lighter
    return rounded(_shares(counts))


def _shares(counts: Weighting) -> Shares:
    plain = np.array(counts, dtype=np.float64)
    shares: Shares = plain / plain.sum()
    return shares


def _leaning(table: NDArray[np.int64], index: int, experiment: int) -> NDArray[np.int64]:
    """The counts (M, C) with a quarter of the class's weight moved to a member."""
    shares = 0.75 * table[:, index] / TOTAL
    shares[experiment] += 0.25
    changed = table.copy()
    changed[:, index] = rounded_to_total(shares)
    return changed


def _by_class(table: NDArray[np.int64]) -> Weighting:
    return tuple(tuple(row) for row in table.tolist())
