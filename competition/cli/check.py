"""`comp check`: mistakes in the data that cost teams their private score."""

from typing import TYPE_CHECKING, Any

import typer

from competition.api import open_competition
from competition.cli.options import DirOption, JsonOption

if TYPE_CHECKING:
    from competition.api.data import DataReport
    from competition.data.checks.finding import Finding

MEANINGS = {
    "error": "errors: the data cannot be used as it is",
    "leak": "leaks: models are validated on what they have seen",
    "warning": "warnings: look at these",
    "note": "notes: comp deals with these",
}
"""What stands above the findings of each severity."""


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp check --json")(check)


def check(folder: DirOption = None, as_json: JsonOption = False) -> None:
    """Look for mistakes in the data and leaks in the split.

    Duplicates, films without groups, constant images, empty masks, odd sizes, changed files; groups and duplicates on
    two sides of the split, classes that a fold lacks. The exit code is 1 if the data cannot be used as it is.
    """
    from competition.api import data
    from competition.cli.show import output

    opened = open_competition(folder)
    report = data.check(opened, bars=output.progress_bar)
    if as_json:
        output.print_json([finding.to_json() for finding in report.findings])
    else:
        _show(report, opened.settings.name)
    if not report.is_usable:
        raise typer.Exit(1)


def _show(report: "DataReport", competition: str) -> None:
    from competition.cli.show import output

    if not report.findings:
        output.out().print(f"{competition}: nothing found.", markup=False)
    for severity, meaning in MEANINGS.items():
        findings = [finding for finding in report.findings if finding.severity == severity]
        if findings:
            output.out().print(_table(findings, meaning))
            output.out().print()
    if report.split is None:
        output.say("There is no split yet, so leaks were not looked for. Next: `comp split`.")
    elif report.split.leaks_allowed:
        output.say(f"Split v{report.split.version} leaks; allowed because: {report.split.leaks_allowed}")


def _table(findings: "list[Finding]", title: str) -> Any:
    from competition.cli.show import output

    table = output.table("check", "n", "what", right=("n",), wrap=("what",), title=title)
    for finding in findings:
        more = ", …" if finding.count > len(finding.examples) else ""
        text = f"{finding.what}\n{', '.join(finding.examples)}{more}\n-> {finding.mend}"
        output.add_row(table, finding.kind, finding.count, text)
    return table
