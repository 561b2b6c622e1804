"""What differs in the code of two experiments: their own modules, the commits they ran at, comp and its packages."""

import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from competition.paths import Paths

_NOT_CODE = ("config.", "git.", "config_sha256", "fold", "split_", "data_fingerprint")
"""What a record holds besides; the configuration is compared elsewhere."""


@dataclass(frozen=True)
class FileDiff:
    """A file of the team's own code that differs; `text` is a unified diff."""

    path: str
    text: str


@dataclass(frozen=True)
class Recorded:
    """Something that the two runs wrote down differently: versions, device, …; None where one did not say."""

    what: str
    a: str | None
    b: str | None


@dataclass(frozen=True)
class CodeDiff:
    """From experiment a to experiment b.

    Args:
        files: of the snapshots that were taken when they were submitted.
        recorded: what the first fold's records say of commits, comp, packages and devices.
        uncommitted: a and b: what each had changed since its commit, a diff; empty where they had the same, or nothing.
    """

    files: tuple[FileDiff, ...]
    recorded: tuple[Recorded, ...]
    uncommitted: tuple[str, str]

    def __bool__(self) -> bool:
        return bool(self.files or self.recorded or any(self.uncommitted))


def code_diff(paths: Paths, a: str, b: str) -> CodeDiff:
    """Compare the code of the experiments called `a` and `b`, as far as they left any."""
    files = _files(paths, a, b)
    before, after = (_record(paths, name) for name in (a, b))
    if not before or not after:
        return CodeDiff(files, (), ("", ""))
    plain_a, plain_b = _flat(before), _flat(after)
    keys = dict.fromkeys([*plain_a, *plain_b])
    recorded = [Recorded(k, plain_a.get(k), plain_b.get(k)) for k in keys if plain_a.get(k) != plain_b.get(k)]
    return CodeDiff(files, tuple(recorded), _uncommitted(before, after))


def _files(paths: Paths, a: str, b: str) -> tuple[FileDiff, ...]:
    before, after = (_sources(paths.experiment_code(name)) for name in (a, b))
    found = []
    for path in sorted(before.keys() | after.keys()):
        old, new = (side.get(path, "").splitlines() for side in (before, after))
        text = "\n".join(difflib.unified_diff(old, new, f"{a}/{path}", f"{b}/{path}", lineterm=""))
        if text or (path in before) != (path in after):
            found.append(FileDiff(path, text))
    return tuple(found)


def _sources(folder: Path) -> dict[str, str]:
    """The text of each file in a snapshot, by its path there."""
    files = sorted(path for path in folder.rglob("*.py") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8", errors="replace") for path in files}


def _uncommitted(a: dict[str, Any], b: dict[str, Any]) -> tuple[str, str]:
    git_a, git_b = (record.get("git") or {} for record in (a, b))
    if git_a.get("diff_sha256") == git_b.get("diff_sha256"):
        return "", ""
    return str(git_a.get("diff", "")), str(git_b.get("diff", ""))


def _record(paths: Paths, name: str) -> dict[str, Any]:
    """What decided the first fold's result; empty where nobody wrote it down, or it is damaged."""
    try:
        found = json.loads(paths.job(name, 0).record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _flat(record: dict[str, Any]) -> dict[str, str]:
    """What is about code, by name, with the commit among it."""
    git = record.get("git") or {}
    flat = {"commit": git["commit"]} if "commit" in git else {}
    if not git.get("diff") and git.get("diff_sha256"):  # too long to be kept
        flat["uncommitted changes"] = git["diff_sha256"][:12]
    for key, value in record.items():
        values = {f"{key}.{inner}": v for inner, v in value.items()} if isinstance(value, dict) else {key: value}
        flat |= {name: str(v) for name, v in values.items() if not name.startswith(_NOT_CODE) and name != "git"}
    return flat
