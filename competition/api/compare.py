"""Experiments of an opened competition side by side: what differs, and what it did."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import isnan
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from competition.api.data import Bars, no_bars
from competition.config.conditions import conditions_between
from competition.data.manifest import Manifest
from competition.errors import DataError, RefusedError
from competition.experiments.comparing import ExperimentComparison, compare_experiments
from competition.lifecycle import JobKind
from competition.report.codediff import CodeDiff, code_diff
from competition.scoring.verdicts import corrected_t
from competition.store import competition, splits
from competition.store.experiments import Experiment
from competition.store.queue import jobs
from competition.wording import comparison_sentences

if TYPE_CHECKING:
    from competition.api.opened import Competition

IMAGES = 10
"""How many of the images that changed most are listed."""


@dataclass(frozen=True)
class SideBySide:
    """Experiment b next to experiment a.

    Args:
        differences: configuration, scores, folds, classes and verdict as plain values; scores are fractions.
        comparison: of the images; None where one of the two is not complete, or its files are damaged.
        notes: why there is no verdict.
        page: the page about the two; None where none was asked for.
    """

    a: str
    b: str
    differences: dict[str, Any]
    code: CodeDiff
    comparison: ExperimentComparison | None
    notes: tuple[str, ...] = ()
    page: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `comp compare --json` prints them."""
        page = {} if self.page is None else {"page": str(self.page)}
        return {**self.differences, "code": asdict(self.code), **page}


def compare(
    opened: "Competition", first: str, others: Sequence[str], *, page: bool = False, bars: Bars = no_bars
) -> list[SideBySide]:
    """Compare each of the others with the first experiment.

    Args:
        page: also write a page with pictures about each pair.

    Raises:
        UnknownNameError: there is no such experiment.
        RefusedError: they ran on different splits; or a page is asked for, and one is not complete.
    """
    a, *rest = (opened.experiment(name) for name in (first, *others))
    for b in rest:
        if a.split_version != b.split_version:
            raise RefusedError(
                f"{a.name} ran on split v{a.split_version} and {b.name} on v{b.split_version}: "
                "their scores cannot be compared.",
                hint="Run the older one again on the current split: `comp run --set …`.",
            )
    pairs = [_side_by_side(opened, a, b) for b in rest]
    return [_with_page(opened, pair, a, bars) for pair in pairs] if page else pairs


def _with_page(opened: "Competition", pair: SideBySide, a: Experiment, bars: Bars) -> SideBySide:
    """Write the page about two experiments; with their calibration."""
    from competition.report.comparison import Compared, write_comparison

    competition.check(opened.store, opened.settings)
    if pair.comparison is None:
        raise RefusedError(
            f"There is no page about {pair.a} and {pair.b}: it needs two different experiments that are complete.",
            hint="`comp leaderboard` lists them.",
        )
    split = splits.of_version(opened.store, a.split_version)
    sentences = comparison_sentences(pair.a, pair.b, pair.differences)
    differences = {**pair.differences, "code": asdict(pair.code)}
    compared = Compared(pair.a, pair.b, differences, sentences, pair.code, pair.comparison.images)
    with bars(f"Calibration of {pair.a} and {pair.b}") as progress:
        page, measured = write_comparison(
            opened.paths,
            opened.settings,
            Manifest.read(opened.paths.manifest(split.fingerprint)),
            compared,
            folds=split.folds,
            progress=progress,
        )
    calibration = {name: found.to_json() for name, found in measured.items()}
    return replace(pair, differences={**pair.differences, "calibration": calibration}, page=page)


def _side_by_side(opened: "Competition", a: Experiment, b: Experiment) -> SideBySide:
    """Where both are the same trained models, the numbers are those of the seeds that both have been run with."""
    comparison, notes = _compare_images(opened, a, b)
    seeds = comparison.shared if comparison else ()
    folds_a, folds_b = (_fold_scores(opened, experiment.name, seeds) for experiment in (a, b))
    scores = [fmean(e.repeat_scores[seed] for seed in seeds) if seeds else e.score for e in (a, b)]
    both = [(folds_a[fold], folds_b[fold]) for fold in sorted(folds_a.keys() & folds_b.keys())]
    fold_test = corrected_t([y - x for x, y in both if x is not None and y is not None])
    names = opened.settings.classes
    ious = [tuple(e.class_iou or (None,) * len(names)) for e in (a, b)]
    if comparison is not None:
        changes = [(change.a, change.b) for change in comparison.classes]
        ious = [tuple(None if isnan(x) else x for x in side) for side in zip(*changes, strict=True)]
    conditions = conditions_between(a.config, b.config)
    differences = {
        "a": a.name,
        "b": b.name,
        "config": [{"key": each.key, a.name: each.old, b.name: each.new} for each in conditions],
        "score": _pair(*scores),
        "class_iou": {name: _pair(x, y) for name, x, y in zip(names, *ious, strict=True)},
        "folds": {str(k): _pair(folds_a.get(k), folds_b.get(k)) for k in sorted({*folds_a, *folds_b})},
        "folds_alone": fold_test.__dict__ if fold_test else None,
        "verdict": comparison.to_json(most=IMAGES) if comparison else None,
    }
    return SideBySide(a.name, b.name, differences, code_diff(opened.paths, a.name, b.name), comparison, notes)


def _compare_images(
    opened: "Competition", a: Experiment, b: Experiment
) -> tuple[ExperimentComparison | None, tuple[str, ...]]:
    """The comparison of their images, or why there is none."""
    if a.id == b.id:
        return None, ()
    incomplete = [e.name for e in (a, b) if e.score is None]
    if incomplete:
        notes = (f"No verdict: {name} is not complete. `comp leaderboard` says what is missing." for name in incomplete)
        return None, tuple(notes)
    split = splits.of_version(opened.store, a.split_version)
    try:
        return compare_experiments(opened.store, opened.settings, a, b, split), ()
    except DataError as error:
        return None, (f"No verdict: {error}",)


def _fold_scores(opened: "Competition", name: str, seeds: tuple[int, ...]) -> dict[int, float | None]:
    """The score of each fold, the mean over these seeds, or over those that are done."""
    scores: dict[int, list[float]] = {}
    for job in jobs.of_experiment(opened.store, name):
        if job.kind is JobKind.FOLD and (not seeds or job.repeat in seeds):
            scores.setdefault(job.fold, []).extend([] if job.score is None else [job.score])
    return {fold: fmean(known) if known else None for fold, known in scores.items()}


def _pair(a: float | None, b: float | None) -> dict[str, float | None]:
    return {"a": a, "b": b, "delta": b - a if a is not None and b is not None else None}
