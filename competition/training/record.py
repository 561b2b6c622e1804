"""What decided a job's result, written when it starts: enough to see later why another run came out differently."""

import json
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import competition
from competition.files import sha256_of, sha256_of_json, write_json
from competition.jobspec import JobSpec
from competition.training import hardware
from competition.training.facts import PACKAGES

_LONGEST_DIFF = 200_000
"""Characters of the working tree's changes that are kept; beyond, their hash alone."""


def write_record(spec: JobSpec, *, precision: str, device: torch.device, resumed: bool = False) -> None:
    """Write the record to the job's folder.

    Args:
        resumed: earlier attempts have done a part. What each had otherwise than this one is kept as `resumed_from`, a
            list with an entry for each that had, the first one first.
    """
    record = record_of(spec, precision=precision, device=device)
    if resumed and (earlier := _earlier(spec.job_paths.record, record)):
        record["resumed_from"] = earlier
    write_json(spec.job_paths.record, record)


def record_of(spec: JobSpec, *, precision: str, device: torch.device) -> dict[str, Any]:
    """Everything that a result is a function of, as JSON values."""
    return {
        "config": spec.config.leaves(),
        "config_sha256": spec.config.sha256,
        "data_fingerprint": spec.fingerprint,
        "split_version": spec.split_version,
        "split_sha256": spec.split_hash,
        "fold": spec.fold,
        "device": hardware.device_name(device),
        "device_type": device.type,
        "threads": torch.get_num_threads(),
        "precision": precision,
        "comp_sha256": code_sha256(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("competition", *PACKAGES)},
        "git": git_state(spec.root),
    }


def _earlier(path: Path, record: dict[str, Any]) -> list[dict[str, Any]]:
    """What the attempts before, of which the record at `path` tells, had otherwise."""
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [{path.name: "missing or damaged"}]
    known: list[dict[str, Any]] = before.pop("resumed_from", [])
    attempts = [*(_merged(before, earlier) for earlier in known), before]
    return [differing for attempt in attempts if (differing := _differing(attempt, record))]


def _differing(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """The values of `before` that are others now, nested as they were."""
    found: dict[str, Any] = {}
    for key, value in before.items():
        other = now.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            if inner := _differing(value, other):
                found[key] = inner
        elif value != other:
            found[key] = value
    return found


def _merged(record: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The record with the values of `other` in their places."""
    found = dict(record)
    for key, value in other.items():
        inner = record.get(key)
        found[key] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return found


def code_sha256() -> str:
    """The sha256 of comp's own sources."""
    folder = Path(competition.__file__).parent
    sources = sorted(folder.rglob("*.py"))
    return sha256_of_json([[str(path.relative_to(folder)), sha256_of(path)] for path in sources])


def git_state(folder: Path) -> dict[str, str] | None:
    """The commit that the competition's folder is at, and what differs from it; None where it is under no git."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    diff = _git(folder, "diff", "HEAD", "--", ".") or ""
    return {
        "commit": commit.strip(),
        "diff_sha256": sha256_of_json(diff),
        "diff": diff if len(diff) <= _LONGEST_DIFF else "",
    }


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints; None if it is not installed, takes too long or knows nothing of the folder."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
