"""Running a finished fold job once more, and telling whether the result is the same."""

import json
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from competition.config.settings import Settings
from competition.errors import RefusedError
from competition.jobspec import Failed, Interrupted, Progress, Succeeded
from competition.lifecycle import JobKind, JobState
from competition.paths import JobPaths
from competition.queue.children import ForkServer
from competition.queue.devices import Device
from competition.queue.job_specs import job_spec
from competition.queue.processes import this_process
from competition.store import artifacts, experiments
from competition.store.engine import Store
from competition.store.queue import jobs, slots
from competition.store.queue.jobs import Job

TOLERANCE = 0.005
"""What another device or version may change of a score before it is another result: half a point of 100."""
_FACTS = ("micro_batch", "compiled")
"""What a job finds out only while it runs, and what decides its result all the same."""
_TICK_S = 0.2


class Sameness(StrEnum):
    """How a result compares with what was recorded."""

    IDENTICAL = "identical"
    """The same weights and predictions, byte for byte."""
    WITHIN_TOLERANCE = "within tolerance"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Difference:
    """Something recorded that is not what it was."""

    key: str
    recorded: Any
    now: Any


@dataclass(frozen=True)
class Reproduction:
    """What came out of running a fold job again.

    Args:
        files: the files whose bytes differ.
        differences: what the two runs recorded differently, that the first left no record included.
    """

    experiment: str
    fold: int
    sameness: Sameness
    recorded_score: float
    score: float
    files: tuple[str, ...]
    differences: tuple[Difference, ...]


def reproduce(
    store: Store,
    settings: Settings,
    fork_server: ForkServer,
    device: Device,
    name: str,
    fold: int,
    *,
    tolerance: float = TOLERANCE,
    on_progress: Callable[[Progress | None], None] = lambda _: None,
) -> Reproduction:
    """Train the fold again with the experiment's own seed, in a folder of its own, and compare.

    Nothing of the experiment changes. The folder is removed where the result is the same, and kept otherwise.

    Args:
        tolerance: how far the two scores may be apart, as a fraction, before they count as different.

    Raises:
        RefusedError: the fold has not been trained, or a job runs on the device.
        CompError: the job failed this time.
    """
    experiment = experiments.find(store, name)
    job = _finished(store, name, fold)
    _check_idle(store, device)
    paths = store.paths.reproduction(name, fold)
    shutil.rmtree(paths.folder, ignore_errors=True)
    spec = job_spec(
        store,
        settings,
        experiment,
        kind=JobKind.FOLD,
        fold=fold,
        token=uuid.uuid4().hex,
        device=device,
        folder=paths.folder,
    )
    child = fork_server.start(spec)
    child.begin()
    try:
        while child.outcome is None and child.process.is_alive():
            child.process.join(_TICK_S)
            child.listen()
            on_progress(child.progress)
        child.listen()
    finally:
        child.end()
    found = _compared(store, job, child.outcome, paths, tolerance)
    if found.sameness is Sameness.IDENTICAL:
        shutil.rmtree(paths.folder)
    return found


def _finished(store: Store, name: str, fold: int) -> Job:
    wanted = (JobKind.FOLD, fold, 0)
    job = next((j for j in jobs.of_experiment(store, name) if (j.kind, j.fold, j.repeat) == wanted), None)
    if job is None:
        raise RefusedError(f"{name} has no fold {fold}.", hint=f"`comp queue {name}` lists its folds.")
    if job.state is not JobState.SUCCEEDED:
        raise RefusedError(
            f"Fold {fold} of {name} is {job.state}, so there is nothing to compare with.",
            hint=f"`comp run {name}` trains it.",
        )
    return job


def _check_idle(store: Store, device: Device) -> None:
    live = [a for a in slots.held(store, host=this_process().host) if a.device == device.name]
    if live:
        raise RefusedError(
            f"{live[0].experiment}, {live[0].label}, runs on {device.label} now.",
            hint="Wait for it (`comp queue`), or give another device: --devices.",
        )


def _compared(
    store: Store, job: Job, outcome: Succeeded | Failed | Interrupted | None, paths: JobPaths, tolerance: float
) -> Reproduction:
    if not isinstance(outcome, Succeeded):
        reason = outcome.reason if isinstance(outcome, Failed) else "it was ended before it was done"
        raise RefusedError(f"{job.experiment}, {job.label}, did not run through this time: {reason}")
    assert outcome.score is not None and job.score is not None  # noqa: PT018 - both are fold jobs that succeeded
    before = artifacts.of_experiment(store, job.experiment)
    timed = paths.history.name  # it holds seconds, which are never the same
    files = tuple(
        name for name, sha in outcome.artifacts.items() if name != timed and before.get((job.label, name)) != sha
    )
    if not files:
        sameness = Sameness.IDENTICAL
    else:
        near = abs(outcome.score - job.score) <= tolerance
        sameness = Sameness.WITHIN_TOLERANCE if near else Sameness.DIFFERENT
    recorded = store.paths.job(job.experiment, job.fold).record
    differences = _differences(recorded, paths.record) + _found_out(job.facts or {}, outcome.facts)
    return Reproduction(job.experiment, job.fold, sameness, job.score, outcome.score, files, differences)


def _differences(recorded: Path, again: Path) -> tuple[Difference, ...]:
    try:
        before, now = (_flat(json.loads(path.read_text(encoding="utf-8"))) for path in (recorded, again))
    except (OSError, ValueError):
        return (Difference(recorded.name, "missing or damaged", "there"),)
    keys = [*before, *(key for key in now if key not in before)]
    return tuple(Difference(k, before.get(k), now.get(k)) for k in keys if before.get(k) != now.get(k))


def _found_out(before: dict[str, Any], now: dict[str, Any]) -> tuple[Difference, ...]:
    """What differs between the facts of two jobs that decide a result; a job of an older comp has not all of them."""
    return tuple(Difference(k, before[k], now.get(k)) for k in _FACTS if k in before and before[k] != now.get(k))


def _flat(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted key, earlier attempts by their number; a diff's text is left to its hash."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if key == "resumed_from":
            flat |= _flat({str(number): earlier for number, earlier in enumerate(value, 1)}, f"{key}.")
        elif isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        elif not f"{prefix}{key}".endswith("git.diff"):
            flat[prefix + key] = value
    return flat
