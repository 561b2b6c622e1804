"""What else may record the epochs of every job, besides history.csv: packages that comp does not need itself."""

from collections.abc import Iterable
from enum import StrEnum
from importlib.util import find_spec

from competition.errors import ConfigError


class Tracker(StrEnum):
    """A package, and comp's extra of the same name that installs it."""

    TENSORBOARD = "tensorboard"
    MLFLOW = "mlflow"


def require(trackers: Iterable[Tracker]) -> None:
    """Do nothing if all of them are installed.

    Raises:
        ConfigError: one is not; says how to install it.
    """
    for tracker in trackers:
        if find_spec(tracker) is None:
            raise ConfigError(
                f"log in competition.yaml asks for {tracker}, and the package {tracker} is not installed.",
                hint=f"pip install 'competition[{tracker}]', or take it out of log.",
            )
