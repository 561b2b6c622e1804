"""Runs whose truth is known: confusion matrices with planted effects of images and of seeds."""

import math
from dataclasses import dataclass, replace

import numpy as np

from competition.config.settings import Metric
from competition.scoring import metrics
from competition.scoring.bootstrap import Bootstrap, draw, paired_error
from competition.scoring.seeds import seed_band
from competition.scoring.student import quantile
from competition.scoring.verdicts import Call, Effect, SeedBand, judge

PIXELS = 400
"""Per image and class."""
BANDS = 250
"""Seed bands that the comparisons of a simulation share: a band is the dear part."""


@dataclass(frozen=True)
class Planted:
    """Images of three classes, dealt into folds; scored by pixel accuracy, so that points can be planted exactly.

    Args:
        image_sd: how much an image's accuracy differs from run to run, by itself.
        seed_sd: how much a run's accuracy over all images differs from seed to seed.
    """

    images: int = 300
    folds: int = 5
    image_sd: float = 0.066
    seed_sd: float = 0.0

    @property
    def se(self) -> float:
        """The true standard error of the difference of two runs."""
        return math.sqrt(2 * self.image_sd**2 / self.images + 2 * self.seed_sd**2)

    def run(self, generator: np.random.Generator, *, gain: float = 0.0) -> list[np.ndarray]:
        """The matrices of one run, int64 (N_k, 3, 3) for each fold."""
        fold_of = np.arange(self.images) % self.folds
        hard = 0.08 * np.sin(np.arange(self.images))  # the same in every run: what pairing takes out
        shift = generator.normal(0, self.seed_sd * math.sqrt(self.folds), self.folds)[fold_of]
        own = generator.normal(0, self.image_sd, self.images)
        hits = np.rint(PIXELS * np.clip(0.7 + hard + shift + own + gain, 0, 1)).astype(np.int64)
        matrices = np.zeros((self.images, 3, 3), np.int64)
        for c in range(3):
            matrices[:, c, c] = hits
            matrices[:, c, (c + 1) % 3] = PIXELS - hits
        return [matrices[fold_of == k] for k in range(self.folds)]


@dataclass(frozen=True)
class Rates:
    """Shares of comparisons that are called better or worse, by an image-only paired test and by comp."""

    image_only: float
    comp: float


def rates(planted: Planted, *, seeds: int | None, gain: float, comparisons: int, draws: int, seed: int) -> Rates:
    """How often single runs of two configurations are called different.

    The seed deviation comes from a band of `seeds` runs of the first configuration; None: it is known.
    """
    generator = np.random.default_rng(seed)
    bootstrap = draw(planted.images, draws=draws)
    bands = [_band(planted, seeds, generator, bootstrap) for _ in range(BANDS if seeds else 1)]
    image_only = comp = 0
    for number in range(comparisons):
        a, b = (np.concatenate(planted.run(generator, gain=g)) for g in (0.0, gain))
        effect = replace(_effect(a, b, bootstrap), band=bands[number % len(bands)])
        image_only += abs(effect.delta) > quantile(0.975, effect.units - 1) * effect.se_images
        comp += judge(effect).call in (Call.BETTER, Call.WORSE)
    return Rates(image_only / comparisons, comp / comparisons)


def _band(planted: Planted, seeds: int | None, generator: np.random.Generator, bootstrap: Bootstrap) -> SeedBand:
    if seeds is None:
        by_image = planted.image_sd / math.sqrt(planted.images)
        return SeedBand(math.hypot(planted.seed_sd, by_image), by_image, 1e9)
    return seed_band(Metric.PIXEL_ACCURACY, [planted.run(generator) for _ in range(seeds)], bootstrap)


def _effect(a: np.ndarray, b: np.ndarray, bootstrap: Bootstrap) -> Effect:
    before, after = (metrics.score(Metric.PIXEL_ACCURACY, run) for run in (a, b))
    error = paired_error(Metric.PIXEL_ACCURACY, [a], [b], bootstrap)
    return Effect(after - before, error, bootstrap.units, (1, 1), None)
