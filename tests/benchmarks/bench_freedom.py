"""What other degrees of freedom would find, and what they would cost: `python -m tests.benchmarks.bench_freedom`.

Scores are drawn from normal distributions instead of being computed from matrices, as `scoring.verdicts.Effect` takes
them: single runs of each of two configurations, the seed deviation from a band of the baseline, 300 images. Compared
are Satterthwaite's degrees of freedom of the band, which comp uses, and Welch's (1947), held between R - 1 and
K (R - 1). "The most" is what a t test with the true degrees of freedom finds.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

COMPARISONS = 200_000
IMAGES = 300
GAIN = 2.0
"""In true standard errors."""
CASES = [
    ([1, 1, 1, 1, 1], 3, 0.0),
    ([1, 1, 1, 1, 1], 3, 0.46),
    ([1, 1, 1, 1, 1], 3, 0.71),
    ([1, 1, 1, 1, 1], 5, 0.0),
    ([1, 1, 1, 1, 1], 5, 0.71),
    ([1, 1, 1, 1, 1], 10, 0.71),
    ([1, 1, 1], 3, 0.71),
    ([1, 1, 1, 1, 4], 3, 0.71),
    ([1, 1, 1, 1, 4], 5, 0.71),
    ([1, 1, 10], 3, 1.0),
    ([1, 1, 10], 5, 1.0),
]
"""Variances of the folds in proportion, seeds, and the seeds' share of a run's variance (0.46 and 0.71 are seed
deviations of 0.35 and 0.6 points in tests/scoring/planting.py)."""


def found(folds: Sequence[float], seeds: int, share: float, gain: float, seed: int) -> tuple[float, float]:
    """How often a true gain, in standard errors, is called a difference: with Satterthwaite's, and with Welch's."""
    generator = np.random.default_rng(seed)
    weights, nu = np.array(folds) / sum(folds), seeds - 1
    variances = weights * generator.chisquare(nu, (COMPARISONS, len(folds))) / nu
    spread, squares = variances.sum(axis=1), (variances**2).sum(axis=1)
    by_image = (1 - share) * _about_one(generator)
    of_images = 2 * (1 - share) * _about_one(generator)
    se_2 = of_images + 2 * np.maximum(0, spread - by_image)
    delta = np.abs(generator.normal(gain, 1, COMPARISONS)) * np.sqrt(2)
    satterthwaite = nu * spread**2 / squares
    welch = np.clip((nu + 2) * spread**2 / squares - 2, nu, nu * len(folds))
    rates = []
    for of_band in (satterthwaite, welch):
        df = np.maximum(1, se_2**2 / (of_images**2 / (IMAGES - 1) + (2 * spread) ** 2 / of_band))
        rates.append(float(np.mean(delta > stats.t.ppf(0.975, df) * np.sqrt(se_2))))
    return rates[0], rates[1]


def most(folds: Sequence[float], seeds: int) -> float:
    """What a two-sided t test at 5 % finds that knows its degrees of freedom."""
    weights = np.array(folds) / sum(folds)
    df = (seeds - 1) / float((weights**2).sum())
    bar = stats.t.ppf(0.975, df)
    return float(stats.nct.sf(bar, df, GAIN) + stats.nct.cdf(-bar, df, GAIN))


def main() -> None:
    for number, (folds, seeds, share) in enumerate(CASES):
        same, gained = (found(folds, seeds, share, gain, 2 * number + (gain > 0)) for gain in (0.0, GAIN))
        rates = [f"{100 * a:.1f} / {100 * b:.1f} %" for a, b in (same, gained)]
        shape = " : ".join(map(str, folds))
        print(
            f"| {shape} | {seeds} | {share:.0%} | {rates[0]} | {rates[1]} | {100 * most(folds, seeds):.1f} % |",
            flush=True,
        )


def _about_one(generator: np.random.Generator) -> NDArray[np.float64]:
    return generator.chisquare(IMAGES - 1, COMPARISONS) / (IMAGES - 1)


if __name__ == "__main__":
    main()
