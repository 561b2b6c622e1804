"""A page that needs nothing else: one HTML file with its style and its pictures inside."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from competition.files import replacing, write_text
from competition.report.overlay import data_uri
from competition.report.theme import DARK, LIGHT, Theme, draw


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


def picture(name: str, alt: str, drawing: Callable[[Theme], Figure]) -> Picture:
    """Draw a picture for both kinds of pages."""
    return Picture(name, alt, draw(drawing, LIGHT), draw(drawing, DARK))


def write_page(page: Path, html: str, pictures: dict[str, bytes]) -> None:
    """Write a page and, beside it, its pictures by file name; pictures of an earlier page are removed."""
    for name, data in pictures.items():
        with replacing(page.with_name(name)) as aside:
            aside.write_bytes(data)
    write_text(page, html)
    for stale in page.parent.glob("*.png"):
        if stale.name not in pictures:
            stale.unlink()
