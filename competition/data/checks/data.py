"""Every check in turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from competition.config.settings import Settings
from competition.data.checks.alike import Alike, find_alike
from competition.data.checks.changes import check_changes
from competition.data.checks.finding import Finding
from competition.data.checks.labels import check_folds, check_masks
from competition.data.checks.leaks import find_leaks
from competition.data.checks.looks import Looks, find_looks
from competition.data.checks.pictures import check_constant, check_duplicates, check_series, check_sizes
from competition.data.checks.series import Series, find_series
from competition.data.manifest import Manifest
from competition.data.parallel import Progress
from competition.data.split.folds import Split


@dataclass(frozen=True)
class Study:
    """What the pictures of a competition have to do with each other."""

    manifest: Manifest
    looks: Looks
    alike: Alike
    series: tuple[Series, ...]

    def leaks(self, split: Split) -> tuple[Finding, ...]:
        """What the split tears apart."""
        return find_leaks(self.manifest, split, pairs=self.alike.labelled, series=self.series)


def study(manifest: Manifest, settings: Settings, root: Path, kept: Path, *, progress: Progress | None = None) -> Study:
    """Look at every picture that was not looked at before, and compare all with each other.

    Args:
        kept: the file that looks are kept in (`Paths.looks`).
    """
    looks = find_looks(manifest, settings, root, kept, progress=progress)
    return Study(manifest, looks, find_alike(manifest, looks), find_series(manifest, looks))


def check_data(studied: Study, settings: Settings, root: Path, *, progress: Progress | None = None) -> list[Finding]:
    """What is wrong with the data, or worth knowing, gravest first. Every file is read."""
    manifest = studied.manifest
    return gravest_first(
        [
            *check_changes(manifest, settings, root, progress=progress),
            *check_masks(manifest, settings.classes),
            *check_duplicates(studied.alike),
            *check_constant(manifest, studied.looks),
            *check_series(manifest, studied.series),
            *check_sizes(manifest),
        ]
    )


def check_split(studied: Study, settings: Settings, split: Split) -> list[Finding]:
    """What is wrong with a split, gravest first."""
    return gravest_first([*studied.leaks(split), *check_folds(studied.manifest, settings.classes, split)])


def gravest_first(findings: Sequence[Finding]) -> list[Finding]:
    """The findings by severity; equally grave ones stay in order."""
    return sorted(findings, key=lambda finding: finding.severity.rank)
