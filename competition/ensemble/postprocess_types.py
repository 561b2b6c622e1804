"""A step of post-processing: what it starts from, what it is judged by, and what it came to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from competition.ensemble.blend import Weighting
from competition.ensemble.inputs import OpenExperiments
from competition.ensemble.postprocess import Postprocessing
from competition.ensemble.score_experiments import Truth
from competition.scoring import metrics
from competition.scoring.bootstrap import Bootstrap, paired_error
from competition.scoring.confusion import Matrices


@dataclass(frozen=True)
class CrossFittedBlend:
    """A blend, cross-fitted.

    Args:
        weighting: of the final blend.
        by_part: the weighting of each part's images, fitted without them; in the order of the parts' numbers.
        confusion: int64 (N, C, C), the confusion matrices, each image's under `by_part`.
    """

    weighting: Weighting
    by_part: tuple[Weighting, ...]
    confusion: Matrices


@dataclass(frozen=True)
class TunedStep:
    """A step of post-processing that was tuned on all images, and what it is worth; scores are fractions.

    Args:
        settings: what test images get, if it is adopted; those of the steps before are in it.
        before: the score without this step.
        score: cross-fitted: what an image is given was tuned without the image's part.
        in_sample: of `settings` on the images that they were tuned on; optimistic.
        gain_error: the standard error of `score - before`, bootstrapped over images or groups.
        confusion: int64 (N, C, C), the matrices that `score` is of.
    """

    settings: Postprocessing
    before: float
    score: float
    in_sample: float
    gain_error: float
    confusion: Matrices = field(repr=False, compare=False)

    @property
    def is_adopted(self) -> bool:
        """Whether the cross-fitted gain exceeds one standard error."""
        return self.score - self.before > self.gain_error

    def to_json(self, classes: Sequence[str]) -> dict[str, Any]:
        """Plain values; None for what is not a number."""
        scores = {name: getattr(self, name) for name in ("before", "score", "in_sample", "gain_error")}
        plain = {name: None if math.isnan(value) else value for name, value in scores.items()}
        return {"adopted": self.is_adopted, **plain, "settings": self.settings.to_json(classes)}


@dataclass(frozen=True)
class TuningData:
    """The images that steps are tuned and judged on.

    Args:
        parts: int64 (N,), the part of each image: what it is given is tuned without them.
    """

    experiments: OpenExperiments
    parts: NDArray[np.int64]
    truth: Truth
    metric: str
    bootstrap: Bootstrap

    def judge(self, settings: Postprocessing, *, before: Matrices, after: Matrices, in_sample: Matrices) -> TunedStep:
        """What a step is worth, by confusion matrices (N, C, C): cross-fitted ones, and those of its final settings."""
        return TunedStep(
            settings=settings,
            before=metrics.score(self.metric, before),
            score=metrics.score(self.metric, after),
            in_sample=metrics.score(self.metric, in_sample),
            gain_error=paired_error(self.metric, [before], [after], self.bootstrap),
            confusion=after,
        )
