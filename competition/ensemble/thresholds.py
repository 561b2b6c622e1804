"""Class thresholds: how sure a blend must be of a class, tuned after the weights and never scored on what chose them.

Naming the likeliest class makes the fewest mistakes, but it does not maximise a mean over classes: a rare class is
worth naming long before it is the likeliest (Lipton, Elkan and Naryanaswamy, "Optimal thresholding of classifiers to
maximize F1 measure", ECML 2014, show it for two classes). So a class's probability is multiplied: that of a class with
the threshold t by (1 - t) / t. Against a class with the threshold 0.5 it then wins where it has more than the share t
of what both have.

Factors are whole numbers of twelfths. With them a blend is a weighting with counts for each class by itself, so nothing
else needs to know of thresholds.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from competition.data.parallel import Progress, in_threads
from competition.ensemble.blend import Weighting, weighted_sum
from competition.ensemble.crossfit import all_but_each, of_each
from competition.ensemble.pixel_sample import PixelSample, draw_sample
from competition.ensemble.postprocess import UNIT, Postprocessing
from competition.ensemble.postprocess_types import CrossFittedBlend, TunedStep, TuningData
from competition.ensemble.score_experiments import confusions, score_experiments
from competition.ensemble.search import Objective
from competition.scoring import metrics

PASSES = 3
_FACTORS = (3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 18, 20, 24, 28, 36, 48)
"""What is tried: thresholds from 0.8 to 0.2, closest around one half."""
_LEAD = _FACTORS[-1] // _FACTORS[0]
_ROUNDS = 3

Factors = tuple[int, ...]


def tune(
    trial: TuningData, blended: CrossFittedBlend, *, seed: int, progress: Sequence[Progress | None]
) -> tuple[TunedStep, CrossFittedBlend]:
    """Tune the thresholds of a convex blend on all images, and once more without each part.

    The search works on a sample of pixels; what it finds is scored exactly on the images that it was tuned on, and
    taken where it scores more than no thresholds.

    Args:
        progress: of each of `PASSES` passes over the images.

    Returns:
        What was tuned, and the blend with the thresholds in it.
    """
    experiments, truth, metric = trial.experiments, trial.truth, trial.metric
    found = score_experiments(experiments, truth=truth, lead=_LEAD, progress=progress[0])
    sample = draw_sample(experiments, found, truth=truth, seed=seed, lead=_LEAD, progress=progress[1])
    nothing = Postprocessing.nothing(len(experiments.classes))
    fits = list(zip((*blended.by_part, blended.weighting), all_but_each(trial.parts), strict=True))
    searched = in_threads(lambda fit: search(sample.repeated(fit[1]), metric, fit[0]), fits)
    every = dict.fromkeys(
        with_factors(plain, factors)
        for (plain, _), tried in zip(fits, searched, strict=True)
        for factors in (nothing.factor, tried)
    )
    exact = confusions(experiments, list(every), truth=truth, progress=progress[2])

    def best(fit: tuple[Weighting, NDArray[np.bool_]], tried: Factors) -> Factors:
        plain, images = fit
        scores = [metrics.score(metric, exact[with_factors(plain, f)][images]) for f in (nothing.factor, tried)]
        return tried if scores[1] > scores[0] else nothing.factor

    factors = [best(fit, tried) for fit, tried in zip(fits, searched, strict=True)]
    *by_part, weighting = (with_factors(plain, chosen) for (plain, _), chosen in zip(fits, factors, strict=True))
    after = of_each(trial.parts, [exact[fitted] for fitted in by_part])
    tuned = trial.judge(
        replace(nothing, factor=factors[-1]), before=blended.confusion, after=after, in_sample=exact[weighting]
    )
    return tuned, CrossFittedBlend(weighting, tuple(by_part), after)


def search(sample: PixelSample, metric: str, weighting: Weighting) -> Factors:
    """The factors that score best on a sample, found one class at a time from none. Deterministic.

    Args:
        sample: drawn with the lead that the factors may give.
    """
    objective = Objective(sample, metric)
    sums = weighted_sum(list(sample.values), weighting).astype(np.uint64)
    factors = np.full(len(sums), UNIT, np.uint64)
    best = objective.score(sums)
    for _ in range(_ROUNDS):
        before = best
        for index in range(len(sums)):
            others = sums * factors[:, None]
            others[index] = 0
            rival = others.argmax(axis=0)
            bar = others.max(axis=0) + (rival < index)  # the lower class wins a tie
            for factor in _FACTORS:
                named = np.where(sums[index] * factor >= bar, index, rival)
                score = objective.score_named(named)
                if score > best:
                    best, factors[index] = score, factor
        if best == before:
            break
    return tuple(factors.tolist())


def with_factors(weighting: Weighting, factors: Factors) -> Weighting:
    """The weighting under which each class counts so many twelfths of what it counted."""
    if all(factor == factors[0] for factor in factors):
        return weighting
    counts = [count if isinstance(count, tuple) else (count,) * len(factors) for count in weighting]
    return tuple(tuple(c * factor for c, factor in zip(count, factors, strict=True)) for count in counts)
