"""A metric of the team's own: a function that takes confusion matrices and returns a number."""

import math
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from competition.config.owncode import importable_from, load
from competition.config.settings import OwnMetric
from competition.errors import CompError, ConfigError


def score(metric: str, matrices: NDArray[Any]) -> float:
    """What the function `package.module:function` returns for matrices (N, C, C), which it gets as int64.

    Modules are looked for in the competition's folder first. Higher must be better.

    Raises:
        ConfigError: there is no such function, it raised an error, or it returned no number.
    """
    folder = metric.folder if isinstance(metric, OwnMetric) else None
    try:
        with importable_from(folder):
            returned = load(metric, folder, what="metric")(np.rint(matrices).astype(np.int64))
    except CompError:
        raise
    except Exception as error:  # it is the team's code: whatever it raises is shown as theirs
        raise ConfigError(f"metric {metric} failed: {type(error).__name__}: {error}") from error
    if not isinstance(returned, Real) or math.isinf(returned):
        raise ConfigError(
            f"metric {metric} returned {returned!r}, which is no finite number.",
            hint="It is called with int64 matrices (images, classes, classes), rows the truth, and returns a float.",
        )
    return float(returned)
