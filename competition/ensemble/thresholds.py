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

import numpy as np
from numpy.typing import NDArray

from competition.data.parallel import Progress, in_threads
from competition.ensemble.blend import Weighting, weighted_sum
from competition.ensemble.evaluate import Truth, confusions, survey
from competition.ensemble.members import OpenMembers
from competition.ensemble.pixels import Sample, draw
from competition.ensemble.postprocess import UNIT, Postprocessing
from competition.ensemble.search import Objective
from competition.ensemble.tuning import Tuned
from competition.scoring import metrics
from competition.scoring.bootstrap import Bootstrap, paired_error
from competition.scoring.confusion import Matrices

PASSES = 3
_FACTORS = (3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 18, 20, 24, 28, 36, 48)
"""What is tried: thresholds from 0.8 to 0.2, closest around one half."""
_LEAD = _FACTORS[-1] // _FACTORS[0]
_ROUNDS = 3

Factors = tuple[int, ...]


def tune(
    members: OpenMembers,
    *,
    weighting: Weighting,
    by_part: Sequence[Weighting],
    before: Matrices,
    parts: NDArray[np.int64],
    truth: Truth,
    metric: str,
    bootstrap: Bootstrap,
    seed: int,
    progress: Sequence[Progress | None],
) -> tuple[Tuned, Weighting, tuple[Weighting, ...]]:
    """Tune the thresholds of a blend on all images, and once more without each part.

    The search works on a sample of pixels; what it finds is scored exactly on the images that it was tuned on, and
    taken where it scores more than no thresholds.

    Args:
        weighting: of the final blend, which must be a convex one.
        by_part: the weighting of each part's images, fitted without them.
        before: (N, C, C), the confusion matrices without thresholds, each image's under `by_part`.
        parts: (N,), the part of each image.
        progress: of each of `PASSES` passes over the images.

    Returns:
        What was tuned, and `weighting` and `by_part` with the thresholds in them.
    """
    found = survey(members, truth=truth, lead=_LEAD, progress=progress[0])
    sample = draw(members, found, truth=truth, seed=seed, lead=_LEAD, progress=progress[1])
    numbers = np.unique(parts)
    seen = [(w, parts != number) for w, number in zip(by_part, numbers, strict=True)]
    seen.append((weighting, np.ones(len(parts), dtype=bool)))
    searched = in_threads(lambda fit: search(sample.repeated(fit[1]), metric, fit[0]), seen)
    pairs = [(plain, with_factors(plain, factors)) for (plain, _), factors in zip(seen, searched, strict=True)]
    every = list(dict.fromkeys(candidate for pair in pairs for candidate in pair))
    exact = confusions(members, every, truth=truth, progress=progress[2])
    gains = [
        metrics.score(metric, exact[changed][images]) > metrics.score(metric, exact[plain][images])
        for (plain, changed), (_, images) in zip(pairs, seen, strict=True)
    ]
    chosen = [changed if gain else plain for (plain, changed), gain in zip(pairs, gains, strict=True)]
    after = np.empty_like(before)
    for number, fitted in zip(numbers, chosen[:-1], strict=True):
        after[parts == number] = exact[fitted][parts == number]
    nothing = Postprocessing.nothing(len(members.classes))
    tuned = Tuned(
        settings=nothing.with_factor(searched[-1]) if gains[-1] else nothing,
        before=metrics.score(metric, before),
        score=metrics.score(metric, after),
        in_sample=metrics.score(metric, exact[chosen[-1]]),
        gain_error=paired_error(metric, [before], [after], bootstrap),
        confusion=after,
    )
    return tuned, chosen[-1], tuple(chosen[:-1])


def search(sample: Sample, metric: str, weighting: Weighting) -> Factors:
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
