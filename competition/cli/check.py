"""`comp check`: mistakes in the data that cost teams their private score."""

from typing import TYPE_CHECKING

import typer

from competition.api import open_competition
from competition.cli.options import DirOption, JsonOption

if TYPE_CHECKING:
    pass


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp check --json")(check)


def check(folder: DirOption = None, as_json: JsonOption = False) -> None:
    """Look for mistakes in the data and leaks in the split.

    Finds duplicates, films without groups, constant images, empty masks, odd sizes and changed files; groups and
    duplicates in several folds, and folds without a class. The exit code is 1 if the data cannot be used as it is.
    """
    from competition.api import data
    from competition.cli.show import data as show
    from competition.cli.show import output

    opened = open_competition(folder)
    report = data.check(opened, bars=output.progress_bar)
    if as_json:
        output.print_json([finding.to_json() for finding in report.findings])
    else:
        show.show_findings(report, opened.settings.name)
    if not report.is_usable:
        raise typer.Exit(1)
