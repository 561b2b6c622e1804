"""Tables about the data: what was indexed, findings, folds, caches, and what exploring it found."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from competition.cli.show import output

if TYPE_CHECKING:
    from competition.api.create import Created
    from competition.api.data import DataReport, SplitReport
    from competition.data.cache_folders import CacheFolder
    from competition.data.checks.findings import Finding
    from competition.data.eda.survey import Survey

MEANINGS = {
    "error": "errors: the data cannot be used as it is",
    "leak": "leaks: models are validated on what they have seen",
    "warning": "warnings: look at these",
    "note": "notes: comp deals with these",
}
"""What stands above the findings of each severity."""


def show_created(created: "Created") -> None:
    """Print the classes of a competition that was set up, and the next command."""
    for note in created.notes:
        output.say(note)
    items, tests, paths = created.manifest.items, created.manifest.test, created.paths
    total = sum(sum(item.pixels) for item in items)
    table = output.table("class", "pixels", "images", right=("pixels", "images"))
    for index, name in enumerate(created.settings.classes):
        pixels = sum(item.pixels[index] for item in items)
        images = sum(item.pixels[index] > 0 for item in items)
        output.add_row(table, name, f"{100 * pixels / max(total, 1):.2f} %", images)
    output.out().print(table)
    groups = len({item.group for item in items if item.group})
    height, width = created.config.data.size
    facts = f"{len(items)} labelled images, {len(tests)} test images"
    output.say(f"{facts}{f', {groups} groups' if groups else ''}; the model sees {height}x{width}.")
    output.say(f"Wrote {paths.competition.name}, {paths.baseline.name} and {paths.runs.name}/ in {paths.root}.")
    output.say("Next: `comp assign MEMBER ROLE`, then `comp split`.")


def show_split(report: "SplitReport", classes: Sequence[str]) -> None:
    """Print what each fold holds."""
    names = [f"fold {f.fold}" if f.fold >= 0 else "train only" for f in report.folds]
    table = output.table("", *names, right=tuple(names))
    output.add_row(table, "images", *(f.images for f in report.folds))
    output.add_row(table, "groups", *(f.groups for f in report.folds))
    for index, name in enumerate(classes):
        output.add_row(table, f"{name} %", *(f"{100 * f.class_share[index]:.2f}" for f in report.folds))
    output.out().print(table)
    for leak in report.leaks:
        output.say(f"Leak, allowed: {leak.what}")
    split = report.split
    output.say(f"Split v{report.version}: {split.scheme}, seed {split.seed}, hash {split.hash[:12]}. Next: `comp run`.")


def show_findings(report: "DataReport", competition: str) -> None:
    """Print what is wrong with the data, a table for each severity."""
    if not report.findings:
        output.out().print(f"{competition}: nothing found.", markup=False)
    for severity, meaning in MEANINGS.items():
        findings = [finding for finding in report.findings if finding.severity == severity]
        if findings:
            output.out().print(_findings(findings, meaning))
            output.out().print()
    if report.split is None:
        output.say("There is no split yet, so leaks were not looked for. Next: `comp split`.")
    elif report.split.leaks_allowed:
        output.say(f"Split v{report.split.version} leaks; allowed because: {report.split.leaks_allowed}")


def _findings(findings: "list[Finding]", title: str) -> Table:
    table = output.table("check", "n", "what", right=("n",), wrap=("what",), title=title)
    for finding in findings:
        more = ", …" if finding.count > len(finding.examples) else ""
        text = f"{finding.what}\n{', '.join(finding.examples)}{more}\n-> {finding.fix}"
        output.add_row(table, finding.kind, finding.count, text)
    return table


def show_caches(found: "Sequence[CacheFolder]", *, current: str) -> None:
    """Print the caches; `current` is the fingerprint of the data that the competition runs on."""
    if not found:
        output.out().print("No cache. The first job builds one.")
        return
    table = output.table("data", "size", "MiB", "", right=("MiB",))
    for kept in found:
        state = "unfinished" if kept.unfinished else "" if kept.fingerprint == current else "of other data"
        output.add_row(table, kept.fingerprint, kept.size, f"{kept.bytes / 2**20:.1f}", state)
    output.out().print(table)
    output.say(f"{sum(kept.bytes for kept in found) / 2**20:.1f} MiB in all. `comp cache clear` removes them.")


def show_survey(found: "Survey") -> None:
    """Print the classes, the findings and the advice of exploring the data."""
    from competition.cli.show import output
    from competition.report import sentences

    output.out().print(_classes(found))
    output.out().print()
    for line in sentences.findings(found):
        output.print_lines(line)
    output.out().print()
    output.out().print(_advice(found))


def _classes(found: "Survey") -> Table:
    from competition.cli.show import output
    from competition.data.eda.classes import median_frequency

    numbers = ("pixels %", "images", "objects", "an image", "length px", "weight")
    table = output.table("class", *numbers, right=numbers, wrap=("class",))
    weights = median_frequency(found.classes)
    for facts, objects, weight in zip(found.classes, found.objects, weights, strict=True):
        length = output.NOTHING if objects.median_side is None else f"{objects.median_side:.0f}"
        row = (output.percent(facts.share), facts.images, objects.objects, f"{objects.per_image:.1f}", length)
        output.add_row(table, facts.name, *row, f"{weight:.2f}")
    return table


def _advice(found: "Survey") -> Table:
    table = output.table("suggestion", "what and why", wrap=("what and why",))
    for advice in found.advice:
        command = f"\ncomp run --set {advice.setting}" if advice.setting else ""
        output.add_row(table, advice.topic, f"{advice.what}. {advice.why}{command}")
    return table
