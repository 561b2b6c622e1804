"""comp: run a team through an image-segmentation competition.

`competition.open(".")` opens one from Python; `competition.Competition` says what it can do. `RunRequest`,
`EnsembleRequest` and `SubmissionRequest` describe what it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from competition.api import Competition
    from competition.api import open_competition as open  # noqa: A004 - reads as `competition.open`
    from competition.ensemble.make import EnsembleRequest
    from competition.experiments.request import RunRequest
    from competition.submission.make import SubmissionRequest

__version__ = "0.1.0"
__all__ = ["Competition", "EnsembleRequest", "RunRequest", "SubmissionRequest", "open"]
_INTERFACE = {
    "open": ("competition.api", "open_competition"),
    "Competition": ("competition.api", "Competition"),
    "RunRequest": ("competition.experiments.request", "RunRequest"),
    "EnsembleRequest": ("competition.ensemble.make", "EnsembleRequest"),
    "SubmissionRequest": ("competition.submission.make", "SubmissionRequest"),
}


def __getattr__(name: str) -> Any:
    """Load a part of the interface when it is first used, so that `import competition` costs nothing."""
    if name not in _INTERFACE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _INTERFACE[name]
    return getattr(import_module(module), attribute)
