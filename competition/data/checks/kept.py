"""What a check found, kept for whoever asks later without looking at every image again."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path

from competition.data.checks.finding import Finding, Severity
from competition.files import write_json

GRAVE = (Severity.ERROR, Severity.LEAK)


def keep(path: Path, findings: Sequence[Finding], *, split_version: int | None) -> None:
    """Write down what was found on this version of the split (None: before there was one)."""
    write_json(path, {"split": split_version, "findings": [finding.to_json() for finding in findings]})


def grave(path: Path, *, on: Collection[int | None]) -> int | None:
    """How many errors and leaks were found on one of these versions of the split; None if nobody has looked."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["split"] not in on:
            return None
        return sum(finding["severity"] in GRAVE for finding in kept["findings"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
