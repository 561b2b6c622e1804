"""The best blend whose inference fits into a time.

What a blend takes is the sum of what its models take, each as its own job measured it. Which members are worth their
time is searched on a sample of pixels; what that finds is scored exactly, with equal weights.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from competition.data.parallel import Progress, in_threads, passes_of
from competition.ensemble.crossfit import all_but_each, of_each
from competition.ensemble.inputs import OpenExperiments
from competition.ensemble.pixel_sample import draw_sample
from competition.ensemble.score_experiments import Truth, confusions, score_experiments
from competition.ensemble.search import Objective
from competition.errors import DataError, RefusedError, retry_hint
from competition.paths import JobPaths
from competition.scoring import metrics

_PASSES = 3

Chosen = tuple[int, ...]
"""1 for each member that is in, 0 for the others: a weighting."""


@dataclass(frozen=True)
class BudgetPoint:
    """A blend of members with equal weights; `score` is a fraction, `seconds` what inference takes."""

    experiments: tuple[str, ...]
    seconds: float
    score: float

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"members": list(self.experiments), "seconds": self.seconds, "score": self.score}


@dataclass(frozen=True)
class BudgetPlan:
    """What can be had for how much time.

    Args:
        limit_s: seconds that inference may take.
        front: the blends that no other beats in both, the quickest first; scored on the images that chose them.
        chosen: the best of them within the limit.
        cross_fitted: the score where each part of the images is scored by members that were chosen without it.
    """

    limit_s: float
    front: tuple[BudgetPoint, ...]
    chosen: BudgetPoint
    cross_fitted: float

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "limit_s": self.limit_s,
            "front": [point.to_json() for point in self.front],
            "chosen": self.chosen.to_json(),
            "cross_fitted": self.cross_fitted,
        }


def seconds_of(name: str, jobs: Sequence[JobPaths], *, images: int) -> float:
    """What inference by all fold models of an experiment takes, as its jobs measured it.

    Raises:
        DataError: a job left no result, or is older than the measurement.
    """
    total = 0.0
    for fold, job in enumerate(jobs):
        try:
            per_image = float(json.loads(job.result.read_text(encoding="utf-8"))["facts"]["inference_ms"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{name}, fold {fold}, has no inference time in {job.result}.",
                hint=retry_hint(name, fold),
            ) from error
        total += images * per_image / 1000
    return total


def plan_budget(
    opened: OpenExperiments,
    seconds: Mapping[str, float],
    *,
    limit_s: float,
    parts: NDArray[np.int64],
    truth: Truth,
    metric: str,
    seed: int = 0,
    progress: Progress | None = None,
) -> BudgetPlan:
    """Choose members for a limit, on all images and once more without each part.

    Args:
        seconds: what each member takes.
        parts: (N,), the part of each image.
        progress: told of three passes over the images as of one.

    Raises:
        RefusedError: not even the quickest member fits.
    """
    costs = np.array([seconds[name] for name in opened.names])
    if costs.min() > limit_s:
        quickest = opened.names[int(costs.argmin())]
        raise RefusedError(
            f"No blend takes {limit_s:g} s: the quickest member, {quickest}, takes {costs.min():.1f} s alone.",
            hint="Allow more, or train a smaller model or without test-time augmentation.",
        )
    passes = passes_of(progress, _PASSES, items=len(opened.ids))
    found = score_experiments(opened, truth=truth, progress=passes[0])
    sample = draw_sample(opened, found, truth=truth, seed=seed, progress=passes[1])
    seen = all_but_each(parts)
    searched = in_threads(lambda images: _candidates(Objective(sample.repeated(images), metric), costs), seen)
    every = list(dict.fromkeys(chosen for candidates in searched for chosen in candidates))
    exact = confusions(opened, every, truth=truth, progress=passes[2])
    taken = []
    for images, candidates in zip(seen[:-1], searched[:-1], strict=True):
        affordable = [chosen for chosen in candidates if costs @ chosen <= limit_s]  # the cheapest member at least
        taken.append(max(affordable, key=lambda chosen: metrics.score(metric, exact[chosen][images])))
    cross_fitted = of_each(parts, [exact[chosen] for chosen in taken])
    scores = {chosen: metrics.score(metric, exact[chosen]) for chosen in every}
    front = [
        BudgetPoint(
            tuple(np.array(opened.names)[np.flatnonzero(chosen)].tolist()), float(costs @ chosen), scores[chosen]
        )
        for chosen in _front(scores, costs)
    ]
    within = [point for point in front if point.seconds <= limit_s]
    return BudgetPlan(limit_s, tuple(front), within[-1], metrics.score(metric, cross_fitted))


def _candidates(objective: Objective, costs: NDArray[np.float64]) -> list[Chosen]:
    """Blends that no other of those tried beats in time and estimated score.

    Tried are every member alone; adding the member that helps most, one after another; and dropping from all the member
    that is missed least, or least for each second that it takes, one after another.
    """
    number = len(costs)
    scores: dict[Chosen, float] = {}

    def score(chosen: Chosen) -> float:
        if chosen not in scores:
            scores[chosen] = float(np.nan_to_num(objective.score_of(chosen)))
        return scores[chosen]

    def changed(chosen: Chosen, value: int) -> list[Chosen]:
        return [(*chosen[:m], value, *chosen[m + 1 :]) for m in range(number) if chosen[m] != value]

    chosen: Chosen = (0,) * number
    while others := changed(chosen, 1):
        chosen = max(others, key=score)
    for is_thrifty in (False, True):
        chosen = (1,) * number
        while sum(chosen) > 1:
            whole, before = costs @ chosen, score(chosen)
            chosen = max(
                changed(chosen, 0),
                key=lambda rest: (score(rest) - before) / (whole - costs @ rest if is_thrifty else 1.0),
            )
    return _front(scores, costs)


def _front(scores: Mapping[Chosen, float], costs: NDArray[np.float64]) -> list[Chosen]:
    """Those that score more than every other that is as quick, the quickest first."""
    front: list[Chosen] = []
    for chosen in sorted(scores, key=lambda c: (costs @ c, -scores[c])):
        if not front or scores[chosen] > scores[front[-1]]:
            front.append(chosen)
    return front
