"""A metric of the team's own: a function that takes confusion matrices and returns a number."""

import importlib
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from competition.errors import CompError, ConfigError, did_you_mean
from competition.settings import OwnMetric


def score(metric: str, matrices: NDArray[Any]) -> float:
    """What the function `package.module:function` returns for matrices (N, C, C), which it gets as int64.

    Modules are looked for in the competition's folder first. Higher must be better.

    Raises:
        ConfigError: there is no such function, it raised an error, or it returned no number.
    """
    try:
        with _importable_from(metric):
            returned = _load(metric)(np.rint(matrices).astype(np.int64))
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


def _load(metric: str) -> Callable[[NDArray[np.int64]], object]:
    name, _, attribute = metric.partition(":")
    if isinstance(metric, OwnMetric):
        _forget_others(name, metric.folder)
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        where = f" in {metric.folder} or among the installed packages" if isinstance(metric, OwnMetric) else ""
        missing = f"there is no module {error.name!r}{where}"
        raise ConfigError(f"metric {metric} cannot be imported: {missing}.") from error
    except Exception as error:  # it is the team's code: whatever it raises is shown as theirs
        raise ConfigError(f"metric {metric} cannot be imported: {type(error).__name__}: {error}") from error
    function = getattr(module, attribute, None)
    if not callable(function):
        near = did_you_mean(attribute, [n for n, value in vars(module).items() if callable(value)])
        raise ConfigError(f"metric {metric}: {module.__name__} has no function {attribute!r}.{near}")
    return function  # type: ignore[no-any-return]


def _forget_others(name: str, folder: Path) -> None:
    """Let a module and its neighbours be imported from `folder`, where another folder's of that name were before."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None:
        return
    other = Path(file).parents[name.count(".") + (Path(file).stem == "__init__")]
    if other == folder:
        return
    for cached, module in list(sys.modules.items()):
        place = getattr(module, "__file__", None)
        if place and other in Path(place).parents and (folder / Path(place).relative_to(other)).is_file():
            del sys.modules[cached]
    importlib.invalidate_caches()


@contextmanager
def _importable_from(metric: str) -> Iterator[None]:
    """The competition's folder is the first place to import from while the block runs."""
    if not isinstance(metric, OwnMetric):
        yield
        return
    folder = str(metric.folder)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
