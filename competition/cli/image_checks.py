"""What `comp check` and `comp split` do first: read the manifest, look at the pictures, say what is wrong with them."""

from typing import TYPE_CHECKING

from competition.api import Competition
from competition.errors import CompError, all_problems

if TYPE_CHECKING:
    from competition.data.checks.data import Study
    from competition.data.manifest import Manifest


def read_manifest(opened: Competition) -> "Manifest":
    """The manifest of the data that the competition runs on."""
    from competition.data.manifest import Manifest
    from competition.store import competition

    return Manifest.read(opened.paths.manifest(competition.fingerprint(opened.store)))


def study_pictures(opened: Competition, manifest: "Manifest") -> "Study":
    """What the pictures have to do with each other; a bar shows while new ones are looked at."""
    from competition.cli.show import output
    from competition.data.checks.data import study

    with output.progress_bar("Looking at images") as progress:
        kept = opened.paths.looks(manifest.fingerprint)
        return study(manifest, opened.settings, opened.paths.root, kept, progress=progress)


def check_before_split(opened: Competition, studied: "Study") -> None:
    """Before the first split: say what is wrong with the data, and stop if it cannot be used."""
    from competition.cli.show import output
    from competition.data.checks.data import check_data
    from competition.data.checks.finding import Severity

    with output.progress_bar("Checking files") as progress:
        findings = check_data(studied, opened.settings, opened.paths.root, progress=progress)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        problems = [f"{finding.what} First: {'; '.join(finding.examples)}." for finding in errors]
        raise CompError(all_problems("The data cannot be split as it is", problems), hint=errors[0].mend)
    for finding in findings:
        if finding.severity is Severity.WARNING:
            output.say(f"Warning: {finding.what} First: {finding.examples[0]}.")
    if findings:
        output.say("`comp check` lists everything that was found, and what to do.")
