"""comp: run a team through an image-segmentation competition.

`competition.open(".")` opens one from Python; `competition.api` says what it can do.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from competition.api import Competition
    from competition.api import open_competition as open  # noqa: A004 - `competition.open` reads as what it does

__version__ = "0.1.0"
__all__ = ["Competition", "open"]
_FROM_API = {"open": "open_competition", "Competition": "Competition"}


def __getattr__(name: str) -> Any:
    """Load the interface when it is first used, so that `import competition` costs nothing."""
    if name in _FROM_API:
        from competition import api

        return getattr(api, _FROM_API[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
