"""Drawing: tables and JSON go to stdout (data), everything else to stderr (talk)."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from competition.errors import CompError
from competition.wording import NOTHING as NOTHING
from competition.wording import chance as chance
from competition.wording import duration as duration
from competition.wording import percent as percent


def out() -> Console:
    """The console of stdout."""
    return Console(highlight=False, soft_wrap=False)


def talk() -> Console:
    """The console of stderr."""
    return Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """A line for the person, as it is (no markup)."""
    talk().print(Text(text), soft_wrap=True)


def print_json(value: Any) -> None:
    """`value` as JSON on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_lines(text: str) -> None:
    """Plain text on stdout."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def table(*columns: str, right: tuple[str, ...] = (), wrap: tuple[str, ...] = (), title: str | None = None) -> Table:
    """A plain table; the columns named in `right` are aligned right, those in `wrap` may take several lines."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title_justify="left", header_style="bold")
    made.title = None if title is None else Text(title, style="table.title")
    for column in columns:
        folds = column in wrap
        made.add_column(
            Text(column),
            justify="right" if column in right else "left",
            no_wrap=not folds,
            overflow="fold" if folds else "ellipsis",
        )
    return made


def add_row(made: Table, *cells: object, style: str | None = None) -> None:
    """Append a row of plain values: text from users is never read as markup."""
    made.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in cells), style=style)


def open_in_browser(page: Path) -> None:
    """Open a page in the browser; say so where there is none."""
    import webbrowser

    if not webbrowser.open(page.as_uri()):
        say("No browser was found here; open the file yourself.")


@contextmanager
def progress_bar(what: str) -> Iterator[Any]:
    """A bar on stderr, where that is a terminal; yields a function that takes (done, total)."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = talk()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


@contextmanager
def step_bars() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on stderr for the current step, where that is a terminal; yields a function of (step, done, total)."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = talk()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        current = bars.add_task("", total=None)
        name = ""

        def show(step: str, done: int, total: int) -> None:
            nonlocal name
            if step != name:
                name = step
                bars.reset(current, total=total, description=step)
            bars.update(current, completed=done, total=total)

        yield show


def clipped(text: str) -> Text:
    """A cell that stays on one line, whatever is cut off."""
    return Text(text, no_wrap=True, overflow="ellipsis")


def watch(draw: Callable[[], RenderableType], *, every_s: float, command: str) -> None:
    """Draw something anew every so many seconds until Ctrl-C.

    Raises:
        CompError: stdout is no terminal.
    """
    from rich.live import Live

    console = out()
    if not console.is_terminal:
        raise CompError("--watch draws on a terminal.", hint=f"Without it, `{command}` prints it once.")
    with suppress(KeyboardInterrupt), Live(draw(), console=console, auto_refresh=False) as live:
        while True:
            time.sleep(every_s)
            live.update(draw(), refresh=True)
