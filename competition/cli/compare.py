"""`comp compare`: experiments side by side."""

import math
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any

import typer

from competition.cli.options import Competition, DirOption, JsonOption, open_competition
from competition.errors import RefusedError

if TYPE_CHECKING:
    from competition.queue.contrast import Contrast
    from competition.scoring.verdicts import FoldTest
    from competition.store.experiments import Experiment

IMAGES = 10
"""How many of the images that changed most are shown."""


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp compare b1 dice-0.5")(compare)


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="An experiment.", show_default=False)],
    others: Annotated[
        list[str], typer.Argument(metavar="B...", help="Others, each compared with A.", show_default=False)
    ],
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show experiments side by side.

    In which keys they differ, whether the difference is more than luck, what it did to each class and each fold, and
    which images changed most.
    """
    from competition.cli import output
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
    found = [_differences(opened, a, b) for b in rest]
    if as_json:
        output.print_json(found[0] if len(found) == 1 else found)
        return
    for number, (b, differences) in enumerate(zip(rest, found, strict=True)):
        if number:
            output.out().print()
        _show(a.name, b.name, differences)


def _differences(opened: Competition, a: "Experiment", b: "Experiment") -> dict[str, Any]:
    from competition.conditions import conditions_between

    folds_a, folds_b = _fold_scores(opened, a.name), _fold_scores(opened, b.name)
    classes = opened.settings.classes
    iou_a, iou_b = (e.class_iou or (None,) * len(classes) for e in (a, b))
    shared = [(folds_a[k], folds_b[k]) for k in sorted(folds_a.keys() & folds_b.keys())]
    folds = _fold_test([y - x for x, y in shared if x is not None and y is not None])
    made = _contrast(opened, a, b)
    return {
        "a": a.name,
        "b": b.name,
        "config": [{"key": c.key, a.name: c.old, b.name: c.new} for c in conditions_between(a.config, b.config)],
        "score": _pair(a.score, b.score),
        "class_iou": {name: _pair(x, y) for name, x, y in zip(classes, iou_a, iou_b, strict=True)},
        "folds": {str(k): _pair(folds_a.get(k), folds_b.get(k)) for k in sorted({*folds_a, *folds_b})},
        "folds_alone": folds.__dict__ if folds else None,
        "verdict": made.to_json(most=IMAGES) if made else None,
    }


def _contrast(opened: Competition, a: "Experiment", b: "Experiment") -> "Contrast | None":
    """What the images say; None where one of the two is not complete, or what it left is damaged (which is said)."""
    from competition.cli import output
    from competition.errors import DataError
    from competition.queue.contrast import contrast
    from competition.store import splits

    if a.score is None or b.score is None or a.id == b.id:
        return None
    split = next(s for s in splits.every(opened.store) if s.version == a.split_version)
    try:
        return contrast(opened.store, opened.settings, a, b, split)
    except DataError as error:
        output.say(f"No verdict: {error}")
        return None


def _fold_scores(opened: Competition, name: str) -> dict[int, float | None]:
    """The score of each fold, the mean over the seeds that are done."""
    from competition.lifecycle import JobKind
    from competition.store import jobs

    found: dict[int, list[float]] = {}
    for job in jobs.of_experiment(opened.store, name):
        if job.kind is JobKind.FOLD:
            found.setdefault(job.fold, []).extend([] if job.score is None else [job.score])
    return {fold: fmean(scores) if scores else None for fold, scores in found.items()}


def _fold_test(deltas: list[float]) -> "FoldTest | None":
    from competition.scoring.verdicts import corrected_t

    return corrected_t(deltas)


def _pair(a: float | None, b: float | None) -> dict[str, float | None]:
    return {"a": a, "b": b, "delta": b - a if a is not None and b is not None else None}


def _show(a: str, b: str, found: dict[str, Any]) -> None:
    from competition.cli import output

    config = output.table("key", a, b, wrap=(a, b))
    for line in found["config"]:
        output.add_row(config, line["key"], line[a], line[b])
    output.out().print(config if found["config"] else "The same configuration.")
    verdict = found["verdict"]
    halves = verdict["class_half"] if verdict else {}
    score_half = verdict["high"] - verdict["delta"] if verdict and verdict["high"] is not None else None
    scores = output.table("", a, b, "delta", "95 %", right=(a, b, "delta", "95 %"))
    _add(scores, "CV score", found["score"], half=score_half)
    for fold, pair in found["folds"].items():
        _add(scores, f"fold {fold}", pair)
    for name, pair in found["class_iou"].items():
        _add(scores, f"IoU {name}", pair, half=halves.get(name))
    output.out().print()
    output.out().print(scores)
    if verdict:
        _show_images(a, b, verdict["images"])
        output.out().print()
        output.out().print("\n".join(_sentences(a, b, found)), markup=False)


def _show_images(a: str, b: str, images: list[dict[str, Any]]) -> None:
    from competition.cli import output

    table = output.table("changed most", a, b, "delta", right=(a, b, "delta"), wrap=("changed most",))
    for image in images:
        _add(table, image["id"], image, interval=False)
    output.out().print()
    output.out().print(table)


def _sentences(a: str, b: str, found: dict[str, Any]) -> list[str]:
    """The verdict in words."""
    from competition.cli import output

    verdict, folds = found["verdict"], found["folds_alone"]
    said = [f"Verdict: {b} against {a}: {verdict['call']}."]
    if verdict["p"] is None:
        said.append(f"Nobody knows yet what a seed does to the score: `comp run {a} --seeds 3` finds out.")
    else:
        whose = " and ".join(verdict["seeds_from"])
        ends = f"{_points(verdict['low'])} to {_points(verdict['high'])}"
        said.append(
            f"{_points(verdict['delta'])} [{ends}], p {verdict['p']:.3f}; "
            f"from {verdict['units']} images or groups, and seeds of {whose}."
        )
        said.append(f"The smallest effect found four times out of five here: {output.percent(verdict['detectable'])}.")
    if verdict["seeds_wanted"]:
        said.append(f"{verdict['seeds_wanted']} seeds of each could tell.")
    if folds and not math.isnan(folds["p"]):
        ends = f"{_points(folds['low'])} to {_points(folds['high'])}"
        said.append(f"Folds alone (corrected t): {_points(folds['delta'])} [{ends}], p {folds['p']:.3f}.")
    said.append("Intervals of classes are from images alone; a seed moves them too.")
    return said


def _points(value: float) -> str:
    from competition.cli import output

    return output.percent(value, signed=True)


def _add(
    table: Any, label: str, pair: dict[str, float | None], *, half: float | None = None, interval: bool = True
) -> None:
    from competition.cli import output

    cells = [output.percent(pair["a"]), output.percent(pair["b"]), output.percent(pair["delta"], signed=True)]
    if interval:
        cells.append("" if half is None else f"±{100 * half:.2f}")
    output.add_row(table, label, *cells)
