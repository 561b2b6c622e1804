"""`comp compare`: experiments side by side."""

from dataclasses import asdict
from math import isnan
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any

import typer

from competition.api import Competition, open_competition
from competition.cli.options import DirOption, JsonOption
from competition.errors import RefusedError

if TYPE_CHECKING:
    from competition.experiments.comparing import ExperimentComparison
    from competition.report.codediff import CodeDiff
    from competition.scoring.verdicts import FoldTest
    from competition.store.experiments import Experiment

IMAGES = 10
"""How many of the images that changed most are shown."""


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp compare b1 dice-0.5 --open")(compare)


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="An experiment.", show_default=False)],
    others: Annotated[
        list[str], typer.Argument(metavar="B...", help="Others, each compared with A.", show_default=False)
    ],
    page: Annotated[
        bool, typer.Option("--page", help="Write a page with pictures; it reads every stored probability.")
    ] = False,
    open_it: Annotated[bool, typer.Option("--open", help="Write the page, and open it in the browser.")] = False,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show experiments side by side.

    In which keys and in what code they differ, whether the difference is more than luck, what it did to each class and
    each fold, and which images changed most. The page has a dot for each image, those that changed most with truth and
    both predictions, and how well each experiment knows how sure it is (calibration).
    """
    from competition.cli.show import output, side_by_side
    from competition.report.codediff import code_diff
    from competition.store import experiments

    opened = open_competition(folder)
    a, *rest = (experiments.find(opened.store, name) for name in (first, *others))
    for b in rest:
        if a.split_version != b.split_version:
            raise RefusedError(
                f"{a.name} ran on split v{a.split_version} and {b.name} on v{b.split_version}: "
                "their scores cannot be compared.",
                hint="Run the older one again on the current split: `comp run --set …`.",
            )
    codes = [code_diff(opened.paths, a.name, b.name) for b in rest]
    found, pages = [], []
    for b, code in zip(rest, codes, strict=True):
        differences, made = _differences(opened, a, b)
        differences["code"] = asdict(code)
        if page or open_it:
            written = _write_page(opened, differences, made, code, split_version=a.split_version)
            differences["page"] = str(written)
            pages.append(written)
        found.append(differences)
    if as_json:
        output.print_json(found[0] if len(found) == 1 else found)
    else:
        for number, (b, code, differences) in enumerate(zip(rest, codes, found, strict=True)):
            if number:
                output.out().print()
            side_by_side.show(a.name, b.name, differences, code)
    for written in pages:
        output.say(f"The page: {written}")
        if open_it:
            output.open_in_browser(written)


def _write_page(
    opened: Competition,
    differences: dict[str, Any],
    made: "ExperimentComparison | None",
    code: "CodeDiff",
    *,
    split_version: int,
) -> Path:
    """Write the page about two experiments, and add their calibration to what was found; the page."""
    from competition.cli.show import output
    from competition.cli.show.side_by_side import sentences
    from competition.data.manifest import Manifest
    from competition.report.comparison import Compared, write_comparison
    from competition.store import competition, splits

    competition.check(opened.store, opened.settings)
    a, b = differences["a"], differences["b"]
    if made is None:
        raise RefusedError(
            f"There is no page about {a} and {b}: it takes two different experiments whose results are complete.",
            hint="`comp leaderboard` lists them.",
        )
    split = splits.of_version(opened.store, split_version)
    compared = Compared(a, b, differences, sentences(a, b, differences), code, made.images)
    with output.progress_bar(f"Calibration of {a} and {b}") as progress:
        written, measured = write_comparison(
            opened.paths,
            opened.settings,
            Manifest.read(opened.paths.manifest(split.fingerprint)),
            compared,
            folds=split.folds,
            progress=progress,
        )
    differences["calibration"] = {name: calibration.to_json() for name, calibration in measured.items()}
    return written


def _differences(
    opened: Competition, a: "Experiment", b: "Experiment"
) -> tuple[dict[str, Any], "ExperimentComparison | None"]:
    """Everything but the code, as plain values; and the comparison of the images, where there is one.

    Where both are the same trained models, the numbers are those of the seeds that both have been run with.
    """
    from competition.config.conditions import conditions_between

    made = _contrast(opened, a, b)
    seeds = made.shared if made else ()
    folds_a, folds_b = (_fold_scores(opened, e.name, seeds) for e in (a, b))
    scores = [fmean(e.repeat_scores[seed] for seed in seeds) if seeds else e.score for e in (a, b)]
    shared = [(folds_a[k], folds_b[k]) for k in sorted(folds_a.keys() & folds_b.keys())]
    folds = _fold_test([y - x for x, y in shared if x is not None and y is not None])
    names = opened.settings.classes
    ious = [tuple(e.class_iou or (None,) * len(names)) for e in (a, b)]
    if made is not None:
        found_ious = [(c.a, c.b) for c in made.classes]
        ious = [tuple(None if isnan(x) else x for x in side) for side in zip(*found_ious, strict=True)]
    found = {
        "a": a.name,
        "b": b.name,
        "config": [{"key": c.key, a.name: c.old, b.name: c.new} for c in conditions_between(a.config, b.config)],
        "score": _pair(*scores),
        "class_iou": {name: _pair(x, y) for name, x, y in zip(names, *ious, strict=True)},
        "folds": {str(k): _pair(folds_a.get(k), folds_b.get(k)) for k in sorted({*folds_a, *folds_b})},
        "folds_alone": folds.__dict__ if folds else None,
        "verdict": made.to_json(most=IMAGES) if made else None,
    }
    return found, made


def _contrast(opened: Competition, a: "Experiment", b: "Experiment") -> "ExperimentComparison | None":
    """What the images say; None where one of the two is not complete, or what it left is damaged (which is said)."""
    from competition.cli.show import output
    from competition.errors import DataError
    from competition.experiments.comparing import compare_experiments
    from competition.store import splits

    if a.id == b.id:
        return None
    incomplete = [e.name for e in (a, b) if e.score is None]
    for name in incomplete:
        output.say(f"No verdict: {name} is not complete. `comp leaderboard` says what is missing.")
    if incomplete:
        return None
    split = splits.of_version(opened.store, a.split_version)
    try:
        return compare_experiments(opened.store, opened.settings, a, b, split)
    except DataError as error:
        output.say(f"No verdict: {error}")
        return None


def _fold_scores(opened: Competition, name: str, seeds: tuple[int, ...]) -> dict[int, float | None]:
    """The score of each fold, the mean over these seeds, or over those that are done."""
    from competition.lifecycle import JobKind
    from competition.store.queue import jobs

    found: dict[int, list[float]] = {}
    for job in jobs.of_experiment(opened.store, name):
        if job.kind is JobKind.FOLD and (not seeds or job.repeat in seeds):
            found.setdefault(job.fold, []).extend([] if job.score is None else [job.score])
    return {fold: fmean(scores) if scores else None for fold, scores in found.items()}


def _fold_test(deltas: list[float]) -> "FoldTest | None":
    from competition.scoring.verdicts import corrected_t

    return corrected_t(deltas)


def _pair(a: float | None, b: float | None) -> dict[str, float | None]:
    return {"a": a, "b": b, "delta": b - a if a is not None and b is not None else None}
