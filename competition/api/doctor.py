"""Looking over a competition and the machine it runs on, and mending what needs no decision."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from competition.config.experiment import read_config
from competition.config.settings import read_settings
from competition.errors import CompError
from competition.files import sha256_of
from competition.queue.devices import CPU, find_gpus, free_memory_mib
from competition.store import artifacts, events, experiments
from competition.store.engine import Store, problems_of
from competition.store.queue import jobs

LITTLE_SPACE_GIB = 5.0
OLD_S = 86_400.0
NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "lustre", "gpfs", "9p")
"""File systems on which SQLite's locks cannot be trusted (sqlite.org/faq.html#q5)."""


class Verdict(StrEnum):
    """What a check amounts to."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    MENDED = "mended"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `hint` is the command that mends it."""

    what: str
    verdict: Verdict
    found: str
    hint: str | None = None


def examine(store: Store) -> Iterator[Check]:
    """Every check, one after the other; the artifacts' hashes take longest."""
    yield _database(store)
    yield _read("competition.yaml", read_settings, store.paths.competition, mend="Mend it by hand.")
    restored = "`comp baseline show --yaml > baseline.yaml` restores it."
    yield _read("baseline.yaml", read_config, store.paths.baseline, mend=restored)
    yield _file_system(store.paths.runs)
    yield _space(store.paths.runs)
    yield _clock(store)
    yield from _devices()
    yield _litter(store.paths.runs)
    yield from _artifacts(store)


def file_system_of(path: Path) -> str:
    """The type of the file system that a path lies on."""
    resolved = path.resolve()
    mounts = [(Path(p.mountpoint), p.fstype) for p in psutil.disk_partitions(all=True)]
    around = [(len(point.parts), kind) for point, kind in mounts if point == resolved or point in resolved.parents]
    return max(around, default=(0, "unknown"))[1]


def _database(store: Store) -> Check:
    problems = problems_of(store.paths.database)
    if not problems:
        return Check("database", Verdict.OK, "sound")
    found = f"{problems[0]}{f' and {len(problems) - 1} more' if len(problems) > 1 else ''}"
    return Check("database", Verdict.PROBLEM, found, "Put a copy of it back (`comp backup` makes them).")


def _read(what: str, read: Callable[[Path], object], path: Path, *, mend: str) -> Check:
    try:
        read(path)
    except CompError as error:
        return Check(what, Verdict.PROBLEM, error.message, error.hint or mend)
    return Check(what, Verdict.OK, "every key is known and has a value that it may have")


def _file_system(runs: Path) -> Check:
    kind = file_system_of(runs)
    if kind.lower() not in NETWORK:
        return Check("file system", Verdict.OK, kind)
    hint = "Let one machine alone use this folder, or move it to a local disk."
    return Check("file system", Verdict.WARNING, f"{kind}: SQLite's locks cannot be trusted there", hint)


def _space(runs: Path) -> Check:
    free = shutil.disk_usage(runs).free / 2**30
    if free >= LITTLE_SPACE_GIB:
        return Check("disk", Verdict.OK, f"{free:.0f} GiB free")
    return Check("disk", Verdict.WARNING, f"{free:.1f} GiB free", "`comp cache clear` removes what can be made again.")


def _clock(store: Store) -> Check:
    newest = max((event.at for event in events.history(store, most=20)), default=0.0)
    ahead = newest - time.time()
    if ahead < 60:
        return Check("clock", Verdict.OK, time.strftime("%Y-%m-%d %H:%M:%S"))
    found = f"the history is {ahead:.0f} s ahead of this machine's clock"
    return Check("clock", Verdict.WARNING, found, "Set the clock; nothing is lost meanwhile.")


def _devices() -> Iterator[Check]:
    gpus = find_gpus()
    for gpu in gpus:
        free = free_memory_mib(gpu)
        yield Check(gpu.label, Verdict.OK, f"{gpu.name}, {free} MiB free")
    if not gpus:
        yield Check(CPU.label, Verdict.OK, "no NVIDIA GPU that its driver shows; jobs run on the CPU")


def _litter(runs: Path) -> Check:
    """Files that were being written when their process died."""
    now = time.time()
    old = [p for p in runs.rglob(".*.tmp") if p.is_file() and now - p.stat().st_mtime > OLD_S]
    for path in old:
        path.unlink(missing_ok=True)
    verdict = Verdict.MENDED if old else Verdict.OK
    return Check("unfinished files", verdict, f"{len(old)} removed" if old else "none")


def _artifacts(store: Store) -> Iterator[Check]:
    """Compare every file that a job left with its recorded hash."""
    sound = 0
    for name in experiments.names(store):
        by_label = {job.label: job for job in jobs.of_experiment(store, name)}
        for (label, file), sha in artifacts.of_experiment(store, name).items():
            job = by_label[label]
            path = store.paths.job(name, job.path_fold, job.repeat).folder / file
            if path.is_file() and sha256_of(path) == sha:
                sound += 1
                continue
            what = "was changed" if path.is_file() else "is missing"
            again = f" --folds {job.fold} --finished-too" if job.path_fold is not None else ""
            yield Check(
                f"{name} {label}", Verdict.PROBLEM, f"{file} {what}", f"`comp retry {name}{again}` makes it again."
            )
    yield Check("artifacts", Verdict.OK, f"{sound} files are as their jobs left them")
