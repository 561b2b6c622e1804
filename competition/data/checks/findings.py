"""Findings: the things that checks report, and the file that keeps those of the last `comp check`."""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from competition.files import write_json

_MOST_EXAMPLES = 3


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """The data cannot be used as it is."""
    LEAK = "leak"
    """Models would be validated on images that they have (nearly) seen: scores would look better than they are."""
    WARNING = "warning"
    """Probably a mistake in the data, or a fact that matters for training."""
    NOTE = "note"
    """Good to know; nobody has to do anything."""

    @property
    def rank(self) -> int:
        """The place in the order of severity, 0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True)
class Finding:
    """One problem or fact that a check found.

    Args:
        kind: the check, in a few words (`near-duplicates`).
        what: a sentence that states the finding.
        count: the number of images, pairs, groups or classes concerned.
        examples: a few of them.
        fix: what to do about it.
    """

    kind: str
    severity: Severity
    what: str
    count: int
    examples: tuple[str, ...]
    fix: str

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `comp check --json` prints them."""
        return {
            "kind": self.kind,
            "severity": self.severity.value,
            "count": self.count,
            "what": self.what,
            "examples": list(self.examples),
            "do": self.fix,
        }


def findings_of(kind: str, severity: Severity, cases: Sequence[str], *, what: str, fix: str) -> list[Finding]:
    """One finding about all cases, with the first few as examples; no finding without cases.

    Args:
        cases: a short text for each image, pair, group or class concerned.
        what: its `{n}` becomes the number of cases, and `[image has|images have]` the singular or the plural.
    """
    if not cases:
        return []
    what = re.sub(r"\[([^|]*)\|([^]]*)\]", r"\1" if len(cases) == 1 else r"\2", what.replace("{n}", str(len(cases))))
    return [Finding(kind, severity, what, len(cases), tuple(cases[:_MOST_EXAMPLES]), fix)]


def by_severity(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, the worst first; equally bad ones stay in order."""
    return sorted(findings, key=lambda finding: finding.severity.rank)


def save_findings(path: Path, findings: Sequence[Finding], *, split_version: int | None) -> None:
    """Write the findings to a JSON file.

    Args:
        split_version: the version of the split that was checked; None before the first split.
    """
    write_json(path, {"split": split_version, "findings": [finding.to_json() for finding in findings]})


def count_serious(path: Path, *, split_versions: Collection[int | None]) -> int | None:
    """The number of errors and leaks in a saved file.

    Args:
        split_versions: the versions of the split that the file may be about.

    Returns:
        None if the file is missing, damaged, or about another split.
    """
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        if saved["split"] not in split_versions:
            return None
        return sum(finding["severity"] in (Severity.ERROR, Severity.LEAK) for finding in saved["findings"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
