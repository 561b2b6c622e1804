"""Pictures drawn by matplotlib, in the colours of a light and of a dark page."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from matplotlib import font_manager, rc_context
from matplotlib.figure import Figure

from competition.report.overlay import data_uri


@dataclass(frozen=True)
class Theme:
    """Colours of a page's pictures; they match the variables of templates/style.css."""

    name: str
    paper: str
    ink: str
    faint: str
    first: str
    second: str


@dataclass(frozen=True)
class Picture:
    """A drawn picture, in the colours of a light and of a dark page.

    Args:
        name: of its file, without ending.
        alt: what is to be seen, for those who cannot.
    """

    name: str
    alt: str
    light: bytes
    dark: bytes

    @property
    def light_uri(self) -> str:
        """The picture for a light page."""
        return data_uri(self.light)

    @property
    def dark_uri(self) -> str:
        """The picture for a dark page."""
        return data_uri(self.dark)


LIGHT = Theme("light", paper="#ffffff", ink="#1f2430", faint="#d5d9e2", first="#2f6fde", second="#e07a1f")
DARK = Theme("dark", paper="#1a1d24", ink="#e4e7ee", faint="#3a404d", first="#6ea2ff", second="#f5a154")

_DOTS_PER_INCH = 160
_ASIAN = ("Noto Sans CJK KR", "Noto Sans CJK JP", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo")
"""Fonts for class names that the first font has no letters for; those that are installed are used."""


def draw(drawing: Callable[[Theme], Figure], theme: Theme) -> bytes:
    """A picture in a theme's colours, as a PNG file."""
    with _styled(theme), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)  # then it is drawn as a box
        figure = drawing(theme)
        file = BytesIO()
        figure.savefig(file, format="png", dpi=_DOTS_PER_INCH, facecolor=theme.paper)
    return file.getvalue()


def picture(name: str, alt: str, drawing: Callable[[Theme], Figure]) -> Picture:
    """Draw a picture for both kinds of pages."""
    return Picture(name, alt, draw(drawing, LIGHT), draw(drawing, DARK))


@contextmanager
def _styled(theme: Theme) -> Iterator[None]:
    installed = set(font_manager.get_font_names())
    style: Any = {  # matplotlib's stubs want every key as a literal
        "font.family": ["DejaVu Sans", *(name for name in _ASIAN if name in installed)],
        "text.parse_math": False,  # a name may hold two dollar signs
        "font.size": 10,
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "axes.labelsize": 9,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
        "legend.fontsize": 9,
        "legend.frameon": False,
        "text.color": theme.ink,
        "axes.labelcolor": theme.ink,
        "axes.titlecolor": theme.ink,
        "xtick.color": theme.ink,
        "ytick.color": theme.ink,
        "axes.edgecolor": theme.faint,
        "axes.facecolor": theme.paper,
        "grid.color": theme.faint,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
    }
    with rc_context(style):
        yield
