"""What a check found."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MOST_EXAMPLES = 3


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """The data cannot be used as it is."""
    LEAK = "leak"
    """Models would be validated on what they have seen: scores would look better than they are."""
    WARNING = "warning"
    """Probably a mistake in the data, or something that training should know."""
    NOTE = "note"
    """Worth knowing; comp deals with it."""

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return list(Severity).index(self)


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    Args:
        kind: which check, in a few words (`near-duplicates`).
        what: a sentence that says what was found.
        count: how many images, pairs, groups or classes it is about.
        examples: a few of them.
        mend: what to do about it.
    """

    kind: str
    severity: Severity
    what: str
    count: int
    examples: tuple[str, ...]
    mend: str

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `comp check --json` prints them."""
        return {
            "kind": self.kind,
            "severity": self.severity.value,
            "count": self.count,
            "what": self.what,
            "examples": list(self.examples),
            "do": self.mend,
        }


def findings_of(kind: str, severity: Severity, found: Sequence[str], *, what: str, mend: str) -> list[Finding]:
    """No finding where nothing was found; else one, with the first few as examples.

    Args:
        what: its `{n}` becomes how many were found.
    """
    if not found:
        return []
    what = what.replace("{n}", str(len(found)))
    return [Finding(kind, severity, what, len(found), tuple(found[:MOST_EXAMPLES]), mend)]
