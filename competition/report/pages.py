"""Pages from the templates of this package; text from users is escaped."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from competition import wording
from competition.files import replacing, write_text
from competition.report import charts


def render(template: str, **values: object) -> str:
    """The text of a template of this package with its values filled in."""
    return _environment().get_template(template).render(**values)


def write_page(page: Path, html: str, pictures: dict[str, bytes]) -> None:
    """Write a page and, beside it, its pictures by file name; pictures of an earlier page are removed."""
    for name, data in pictures.items():
        with replacing(page.with_name(name)) as aside:
            aside.write_bytes(data)
    write_text(page, html)
    for stale in page.parent.glob("*.png"):
        if stale.name not in pictures:
            stale.unlink()


@cache
def _environment() -> Environment:
    """Made once, for a template takes longer to read than to fill in."""
    environment = Environment(
        loader=PackageLoader("competition.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["charts"] = charts
    environment.filters |= {
        "percent": wording.percent,
        "duration": wording.duration,
        "outcome": wording.outcome,
        "moment": moment,
        "code": code,
        "web": web_address,
    }
    return environment


def moment(at: float) -> str:
    """Seconds since the epoch as a minute, UTC: `2026-03-01 09:30`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def code(text: str) -> Markup:
    """A sentence, escaped, with what stands in `backticks` set as code."""
    parts = text.split("`")
    closed = len(parts) if len(parts) % 2 else len(parts) - 1
    made = Markup()
    for place, part in enumerate(parts):
        if place < closed:
            made += Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        else:
            made += escape(f"`{part}")
    return made


def web_address(text: str | None) -> bool:
    """Whether the text is an address that a page may link to; others, such as `javascript:…`, it may not."""
    return text is not None and text.lower().startswith(("https://", "http://"))
