"""The bootstrap over images: what a score would have been, had other images of the same kind been labelled.

Images are drawn with replacement (whole groups, where images belong together: frames of one video are hardly more than
one picture), and the competition's own metric is computed on what was drawn. All runs are scored on the same draws,
which is what makes a comparison paired: what is hard about an image is hard for both.

Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapters 6 and 8; whole groups: Field & Welsh 2007.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.config.settings import Metric
from competition.scoring import metrics
from competition.scoring.metrics import Matrices, Scores

DRAWS = 10_000
OWN_DRAWS = 400
"""For a metric of the team's own, which has to be called for each; 200 suffice for a standard error (ibid., 6.4)."""
MOST_COUNTS = 100_000_000
"""Draws times units that are kept, a byte each; above 10,000 units there are fewer draws, down to `FEWEST_DRAWS`."""
FEWEST_DRAWS = 1_000
_CHUNK = 500
"""Draws whose counts are floats at one time."""


@dataclass(frozen=True)
class Bootstrap:
    """Draws of units (images or groups), to be shared by everything that is compared.

    Args:
        unit_of: int (N,), the unit of each image, from 0 up without gaps.
        counts: uint8 (draws, units), how often each unit was drawn.
    """

    unit_of: NDArray[np.intp]
    counts: NDArray[np.uint8]

    @property
    def units(self) -> int:
        """How many images or groups there are to draw from."""
        return int(self.counts.shape[1])

    def scores(self, metric: str, runs: Sequence[Matrices]) -> Scores:
        """The metric of each run in each draw: float64 (draws, runs), NaN where nothing drawn can be scored.

        Args:
            runs: matrices (N, C, C) of the same images in the same order, one array for each run.
        """
        if metric not in list(Metric):
            return self._scores_one_by_one(metric, runs)
        if Metric(metric).is_image_wise:
            return self._image_wise(metric, runs)
        return np.concatenate([metrics.score_margins(metric, sums) for sums in self._margins(runs)])

    def class_iou(self, runs: Sequence[Matrices]) -> Scores:
        """The IoU of each class in each draw: float64 (draws, runs, C), NaN where a class does not occur."""
        return np.concatenate([metrics.class_iou_of_margins(sums) for sums in self._margins(runs)])

    def _margins(self, runs: Sequence[Matrices]) -> Iterable[NDArray[np.float64]]:
        """What the matrices of all images drawn come to: float64 (draws, runs, 3, C), a chunk of draws at a time."""
        columns = [metrics.margins(run).reshape(len(run), -1) for run in runs]
        shape = (-1, len(runs), 3, runs[0].shape[-1])
        return (sums.reshape(shape).astype(np.float64) for sums in self._sums(columns))

    def _image_wise(self, metric: str, runs: Sequence[Matrices]) -> Scores:
        """The mean over the drawn images of what each scores; an image without a score counts in no mean."""
        each = [metrics.score_each(metric, run) for run in runs]
        columns = [np.stack([np.nan_to_num(scores), ~np.isnan(scores)], axis=1) for scores in each]
        sums = np.concatenate(list(self._sums(columns))).reshape(-1, len(runs), 2).astype(np.float64)
        total, number = sums[..., 0], sums[..., 1]
        means: Scores = np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
        return means

    def _sums(self, columns: Sequence[NDArray[np.generic]]) -> Iterable[NDArray[np.float32]]:
        """Sums over the drawn units, float32 (draws, columns), a chunk of draws at a time: counts @ values.

        Single precision halves the time; what it rounds off, a millionth, is far below what a draw differs by.
        """
        values = np.concatenate(columns, axis=1).astype(np.float64)
        of_unit = np.zeros((self.units, values.shape[1]))
        np.add.at(of_unit, self.unit_of, values)
        single = of_unit.astype(np.float32)
        for start in range(0, len(self.counts), _CHUNK):
            yield self.counts[start : start + _CHUNK].astype(np.float32) @ single

    def _scores_one_by_one(self, metric: str, runs: Sequence[Matrices]) -> Scores:
        """A function of the team's own sees the drawn images as often as they were drawn."""
        found = []
        for counts in self.counts[:OWN_DRAWS]:
            images = np.repeat(np.arange(len(self.unit_of)), counts[self.unit_of])
            found.append([metrics.score(metric, run[images]) for run in runs])
        return np.array(found)


def draw(units: Sequence[str] | int, *, draws: int = DRAWS, seed: int = 0) -> Bootstrap:
    """Draws with replacement, always the same for the same units.

    Args:
        units: the group of each image, or how many images there are, each a unit of its own.
        draws: at most so many.
    """
    if isinstance(units, int):
        unit_of = np.arange(units)
    else:
        unit_of = np.unique(np.asarray(units, dtype=np.str_), return_inverse=True)[1]
    number = int(unit_of.max()) + 1
    draws = min(draws, max(FEWEST_DRAWS, MOST_COUNTS // number))
    generator = np.random.default_rng(seed)
    kind = np.uint16 if number <= np.iinfo(np.uint16).max else np.uint32
    counts = np.empty((draws, number), np.uint8)
    for row in counts:
        row[:] = np.bincount(generator.integers(0, number, number, dtype=kind), minlength=number)
    return Bootstrap(unit_of, counts)


def error(metric: str, run: Matrices, bootstrap: Bootstrap) -> float:
    """The standard error, from the choice of images, of the score of matrices (N, C, C); NaN for one unit."""
    return float(np.sqrt(covariance(bootstrap.scores(metric, [run]), units=bootstrap.units)[0, 0]))


def paired_error(metric: str, a: Sequence[Matrices], b: Sequence[Matrices], bootstrap: Bootstrap) -> float:
    """The standard error, from the choice of images, of the mean score of the runs `b` less that of the runs `a`.

    Args:
        a: of each run, matrices (N, C, C) of the images that `bootstrap` draws; `b` likewise.

    Returns:
        A fraction; NaN where there is one unit only.
    """
    weights = np.array([*[-1 / len(a)] * len(a), *[1 / len(b)] * len(b)])
    together = covariance(bootstrap.scores(metric, [*a, *b]), units=bootstrap.units)
    return float(np.sqrt(np.maximum(weights @ together @ weights, 0.0)))


def covariance(scores: Scores, *, units: int) -> Scores:
    """How the scores of the runs vary together from draw to draw: float64 (runs, runs), NaN below two units.

    A draw of n units varies by (n - 1) / n of what n new units would (Hesterberg 2015, section 3.2), which the factor
    mends; draws without a score are left out.
    """
    runs = scores.shape[1]
    usable = scores[~np.isnan(scores).any(axis=1)]
    if units < 2 or len(usable) < 2:
        return np.full((runs, runs), np.nan)
    return np.cov(usable, rowvar=False).reshape(runs, runs) * units / (units - 1)
