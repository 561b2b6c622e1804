"""The record of a job: everything that its result depends on, written at the start; and the facts of how it ran."""

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
from competition.training.network.model import Segmenter
from competition.training.throughput import Throughput

PACKAGES = ("torch", "torchvision", "segmentation-models-pytorch", "timm", "albumentations", "numpy")
"""The packages whose versions may change a result."""
_MAX_DIFF = 200_000
"""Longest diff of the working tree, in characters, that is kept; of a longer one only the hash is kept."""


def write_record(spec: JobSpec, *, precision: str, device: torch.device, resumed: bool = False) -> None:
    """Write the record to the job's folder.

    Args:
        resumed: True if earlier attempts trained a part. The values in which they differ from this attempt are kept as
            `resumed_from`, one entry for each attempt that differs, the earliest first.
    """
    record = record_of(spec, precision=precision, device=device)
    if resumed and (earlier := _differing_attempts(spec.job_paths.record, record)):
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


def job_facts(segmenter: Segmenter, throughput: Throughput, device: torch.device) -> dict[str, Any]:
    """The facts of a finished job: device, precision, speed of this attempt, and package versions."""
    return {
        "device": hardware.device_name(device),
        "precision": segmenter.precision.value,
        "parameters": sum(p.numel() for p in segmenter.network.parameters()),
        "epochs": throughput.epochs,
        "images_per_s": round(throughput.images_per_s, 2),
        "inference_ms": round(throughput.inference_ms, 3),
        "wait_share": round(throughput.wait_share, 4),
        "peak_memory_mib": hardware.peak_memory_mib(device),
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def code_sha256() -> str:
    """The sha256 of comp's own sources."""
    folder = Path(competition.__file__).parent
    sources = sorted(folder.rglob("*.py"))
    return sha256_of_json([[str(path.relative_to(folder)), sha256_of(path)] for path in sources])


def git_state(folder: Path) -> dict[str, str] | None:
    """Commit of the competition's folder and its uncommitted changes; None if it is not in a git repository."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    diff = _git(folder, "diff", "HEAD", "--", ".") or ""
    return {
        "commit": commit.strip(),
        "diff_sha256": sha256_of_json(diff),
        "diff": diff if len(diff) <= _MAX_DIFF else "",
    }


def _differing_attempts(path: Path, record: dict[str, Any]) -> list[dict[str, Any]]:
    """For each earlier attempt in the record at `path` that differs from `record`: the values that differ."""
    try:
        previous = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [{path.name: "missing or damaged"}]
    # each entry lists only the differences from the attempt that wrote the file, so they are merged into its record
    entries: list[dict[str, Any]] = previous.pop("resumed_from", [])
    attempts = [*(_merged(previous, entry) for entry in entries), previous]
    return [differences for attempt in attempts if (differences := _differences(attempt, record))]


def _differences(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """The values of `before` that differ from those of `now`, with the same nesting."""
    differences: dict[str, Any] = {}
    for key, value in before.items():
        other = now.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            if inner := _differences(value, other):
                differences[key] = inner
        elif value != other:
            differences[key] = value
    return differences


def _merged(record: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The record with the values of `changes` in their places."""
    merged = dict(record)
    for key, value in changes.items():
        inner = record.get(key)
        merged[key] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged


def _git(folder: Path, *arguments: str) -> str | None:
    """The output of git; None if git is not installed, takes too long or fails."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
