"""Trackers: packages that may record the epochs of every job in addition to history.csv; comp does not need them."""

from collections.abc import Iterable
from enum import StrEnum
from importlib.util import find_spec

from competition.errors import CompError, ConfigError, together


class Tracker(StrEnum):
    """A package, and comp's extra of the same name that installs it."""

    TENSORBOARD = "tensorboard"
    MLFLOW = "mlflow"


def not_installed(trackers: Iterable[Tracker]) -> list[CompError]:
    """A problem for each tracker that is not installed, with the command that installs it."""
    return [
        ConfigError(
            f"log in competition.yaml asks for {tracker}, and the package {tracker} is not installed.",
            hint=f"pip install 'competition[{tracker}]', or take it out of log.",
        )
        for tracker in trackers
        if find_spec(tracker) is None
    ]


def require(trackers: Iterable[Tracker]) -> None:
    """Check that all of the trackers are installed.

    Raises:
        ConfigError: one is not.
    """
    problems = not_installed(trackers)
    if problems:
        raise together(problems)
