"""The data of an opened competition: its mistakes, its folds, and its caches."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from competition.data.cache_folders import CacheFolder, find_caches, remove_cache
from competition.data.checks.data_checks import check_data
from competition.data.checks.findings import Finding, Severity, by_severity, save_findings
from competition.data.checks.image_scan import ImageScan, scan_images
from competition.data.checks.split_checks import check_split, find_leaks
from competition.data.manifest import Manifest
from competition.data.parallel import Progress
from competition.data.split.folds import FoldSummary, Scheme, Split, parse_scheme, summarise
from competition.data.split.imported_split import split_by_column, split_by_file
from competition.data.split.make_folds import make_split
from competition.errors import CompError, RefusedError, all_problems
from competition.files import write_text
from competition.lifecycle import JobState
from competition.store import competition, splits
from competition.store.queue import jobs
from competition.store.splits import SplitVersion

if TYPE_CHECKING:
    from competition.api.opened import Competition

Bars = Callable[[str], AbstractContextManager[Progress | None]]
"""Opens a progress bar with a title; the bar takes (done, total)."""


def no_bars(_title: str) -> AbstractContextManager[None]:
    """No progress is shown."""
    return nullcontext()


@dataclass(frozen=True)
class DataReport:
    """What is wrong with the data and with the current split, gravest first; `split` is None before the first."""

    findings: tuple[Finding, ...]
    split: SplitVersion | None

    @property
    def is_usable(self) -> bool:
        """Whether the data can be used as it is."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


def check(opened: "Competition", *, bars: Bars = no_bars) -> DataReport:
    """Look for mistakes in the data and leaks in the current split; the findings are kept for `comp status`."""
    manifest = opened.manifest
    scan = _scan(opened, manifest, bars)
    findings = _check_files(opened, scan, bars)
    version = splits.current(opened.store)
    if version is not None and version.fingerprint == manifest.fingerprint:
        split = Split.read(opened.paths.folds(version.fingerprint, version.version))
        findings = by_severity([*findings, *check_split(scan, opened.settings.classes, split)])
    save_findings(
        opened.paths.findings(manifest.fingerprint), findings, split_version=version.version if version else None
    )
    return DataReport(tuple(findings), version)


@dataclass(frozen=True)
class SplitRequest:
    """How the images are to be split into folds.

    Args:
        scheme: such as `stratified`; None takes `stratified-group` where there are groups, else `stratified`.
        folds: how many; a hold-out takes no notice of it.
        valid_fraction: the share of the images that a hold-out validates on.
        column: take the folds from this column of data.meta.
        file: take them from this CSV file, with the columns id and fold.
        leaks_allowed: why the split may leak; None refuses a split that does.
        force: replace a split that experiments use.
    """

    scheme: str | None = None
    folds: int = 5
    valid_fraction: float = 0.2
    seed: int = 42
    column: str | None = None
    file: Path | None = None
    leaks_allowed: str | None = None
    force: bool = False


@dataclass(frozen=True)
class SplitReport:
    """The split that is current now, what each fold holds, its leaks, and what a person should know about it."""

    version: int
    split: Split
    folds: tuple[FoldSummary, ...]
    leaks: tuple[Finding, ...]
    notes: tuple[str, ...]

    def to_json(self, classes: tuple[str, ...]) -> dict[str, Any]:
        """Plain values, as `comp split --json` prints them."""
        return {
            "version": self.version,
            "scheme": self.split.scheme,
            "seed": self.split.seed,
            "hash": self.split.hash,
            "leaks": [leak.to_json() for leak in self.leaks],
            "folds": [
                {
                    "fold": fold.fold,
                    "images": fold.images,
                    "groups": fold.groups,
                    "class_share": dict(zip(classes, fold.class_share, strict=True)),
                }
                for fold in self.folds
            ],
        }


def split(opened: "Competition", request: SplitRequest, *, actor: str, bars: Bars = no_bars) -> SplitReport:
    """Split the images into folds and make that the current split. Before the first split, the data is checked.

    Raises:
        RefusedError: the split leaks, or experiments use the current one; `request` may allow either.
        CompError: the data or the request is wrong.
    """
    if request.leaks_allowed is not None and not request.leaks_allowed.strip():
        raise CompError("--allow-leaks needs a reason: the leaderboard shows it from now on.")
    if sum(option is not None for option in (request.scheme, request.column, request.file)) > 1:
        raise CompError("--scheme, --split-column and --folds-csv are three ways to split.", hint="Give one of them.")
    default = "stratified-group" if opened.settings.data.has_groups else "stratified"
    scheme = parse_scheme(request.scheme or default)
    manifest = opened.manifest
    scan = _scan(opened, manifest, bars)
    notes = [] if splits.current(opened.store) else _check_before_split(opened, scan, bars)
    chosen = _imported(opened, manifest, request)
    if chosen is None:
        result = make_split(
            manifest,
            scan.duplicates.labelled,
            scheme=scheme,
            folds=request.folds,
            valid_fraction=request.valid_fraction,
            seed=request.seed,
        )
        chosen = result.split
        notes += [f"Note: {result.unevenness()}"] if result.unevenness() else []
    leaks = find_leaks(scan, chosen)
    if leaks and request.leaks_allowed is None:
        problems = [f"{leak.what} First: {'; '.join(leak.examples)}." for leak in leaks]
        message = all_problems("This split leaks, so its scores would look better than they are", problems)
        raise RefusedError(message, hint=leaks[0].fix)
    if request.leaks_allowed is not None and not leaks:
        notes.append("This split has no leaks, so the reason of --allow-leaks is not recorded.")
    version = _make_current(opened, manifest, chosen, request, leaks=bool(leaks), actor=actor)
    return SplitReport(version, chosen, summarise(manifest, chosen), leaks, tuple(notes))


def export_split(opened: "Competition", path: Path) -> tuple[int, Split]:
    """Write the current split to a CSV file with the columns id and fold; its version and its folds.

    Raises:
        RefusedError: there is no split yet.
    """
    version = splits.require_current(opened.store)
    folds = opened.paths.folds(version.fingerprint, version.version)
    current = Split.read(folds)
    write_text(path, folds.read_text(encoding="utf-8"))
    return version.version, current


def clear_caches(opened: "Competition", *, old_only: bool = False) -> list[CacheFolder]:
    """Remove the caches of decoded images; those that were removed.

    Args:
        old_only: keep those of the data that the competition runs on now.

    Raises:
        RefusedError: jobs that run read the current ones.
    """
    live = jobs.in_states(opened.store, [state for state in JobState if state.is_live])
    if live and not old_only:
        raise RefusedError(
            f"{len(live)} running {'job reads' if len(live) == 1 else 'jobs read'} the cache.",
            hint="Wait (`comp queue`), or stop them (`comp cancel EXPERIMENT`); --old clears only those of older data.",
        )
    current = competition.fingerprint(opened.store)
    removed = [cache for cache in find_caches(opened.paths) if not old_only or cache.fingerprint != current]
    for cache in removed:
        remove_cache(cache)
    return removed


def _scan(opened: "Competition", manifest: Manifest, bars: Bars) -> ImageScan:
    with bars("Comparing images") as progress:
        hash_file = opened.paths.looks(manifest.fingerprint)
        return scan_images(manifest, opened.settings, opened.paths.root, hash_file, progress=progress)


def _check_files(opened: "Competition", scan: ImageScan, bars: Bars) -> list[Finding]:
    with bars("Checking files") as progress:
        return check_data(scan, opened.settings, opened.paths.root, progress=progress)


def _check_before_split(opened: "Competition", scan: ImageScan, bars: Bars) -> list[str]:
    """What should be known about the data before it is split; raises CompError if the data cannot be used."""
    findings = _check_files(opened, scan, bars)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        problems = [f"{finding.what} First: {'; '.join(finding.examples)}." for finding in errors]
        raise CompError(all_problems("The data cannot be split as it is", problems), hint=errors[0].fix)
    warnings = [finding for finding in findings if finding.severity is Severity.WARNING]
    notes = [f"Warning: {finding.what} First: {finding.examples[0]}." for finding in warnings]
    return [*notes, "`comp check` lists every finding and what to do about it."] if findings else notes


def _imported(opened: "Competition", manifest: Manifest, request: SplitRequest) -> Split | None:
    """The split that a file or a column holds, if the request names one."""
    if request.file is not None:
        return split_by_file(manifest, request.file)
    if request.column is None:
        return None
    if opened.settings.data.meta is None:
        raise CompError(
            f"--split-column {request.column} is a column of data.meta, and competition.yaml names no such table.",
            hint="Give the folds as a file: --folds-csv FILE (columns id and fold).",
        )
    return split_by_column(manifest, opened.paths.root / opened.settings.data.meta, request.column)


def _make_current(
    opened: "Competition", manifest: Manifest, chosen: Split, request: SplitRequest, *, leaks: bool, actor: str
) -> int:
    """Make a split the current one, unless it is already; its version."""
    current = splits.current(opened.store)
    if current is not None and current.hash == chosen.hash:
        return current.version
    version = splits.next_version(opened.store, force=request.force)
    chosen.write(opened.paths.folds(manifest.fingerprint, version))
    record = SplitVersion(
        version=version,
        fingerprint=manifest.fingerprint,
        scheme=chosen.scheme,
        folds=chosen.folds,
        valid_fraction=request.valid_fraction if chosen.scheme is Scheme.HOLDOUT else None,
        seed=chosen.seed,
        hash=chosen.hash,
        created_at=0.0,
        leaks_allowed=request.leaks_allowed if leaks else None,
    )
    splits.save(opened.store, record, actor=actor)
    return version
