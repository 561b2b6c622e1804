"""`comp check`: mistakes in the data that cost teams their private score."""

from typing import TYPE_CHECKING, Any

import typer

from competition.api import Competition, open_competition
from competition.cli.options import DirOption, JsonOption

if TYPE_CHECKING:
    from competition.data.checks.finding import Finding
    from competition.store.splits import SplitVersion

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
    from competition.cli.image_checks import read_manifest, study_pictures
    from competition.cli.show import output
    from competition.data.checks.data import check_data, check_split, gravest_first
    from competition.data.checks.finding import Severity
    from competition.data.checks.kept import keep
    from competition.data.split.folds import Split
    from competition.store import splits

    opened = open_competition(folder)
    manifest = read_manifest(opened)
    studied = study_pictures(opened, manifest)
    with output.progress_bar("Checking files") as progress:
        findings = check_data(studied, opened.settings, opened.paths.root, progress=progress)
    version = splits.current(opened.store)
    if version is not None and version.fingerprint == manifest.fingerprint:
        split = Split.read(opened.paths.folds(version.fingerprint, version.version))
        findings = gravest_first([*findings, *check_split(studied, opened.settings, split)])
    keep(opened.paths.findings(manifest.fingerprint), findings, split_version=version.version if version else None)
    if as_json:
        output.print_json([finding.to_json() for finding in findings])
    else:
        _show(opened, findings, version)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise typer.Exit(1)


def _show(opened: Competition, findings: "list[Finding]", version: "SplitVersion | None") -> None:
    from competition.cli.show import output

    images = f"{opened.settings.name}: "
    if not findings:
        output.out().print(f"{images}nothing found.", markup=False)
    for severity, meaning in MEANINGS.items():
        found = [finding for finding in findings if finding.severity == severity]
        if found:
            output.out().print(_table(found, meaning))
            output.out().print()
    if version is None:
        output.say("There is no split yet, so its leaks were not looked for. Next: `comp split`.")
    elif version.leaks_allowed:
        output.say(f"Split v{version.version} leaks; allowed because: {version.leaks_allowed}")


def _table(findings: "list[Finding]", title: str) -> Any:
    from competition.cli.show import output

    table = output.table("check", "n", "what", right=("n",), wrap=("what",), title=title)
    for finding in findings:
        more = ", …" if finding.count > len(finding.examples) else ""
        text = f"{finding.what}\n{', '.join(finding.examples)}{more}\n-> {finding.mend}"
        output.add_row(table, finding.kind, finding.count, text)
    return table
