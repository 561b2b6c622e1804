"""`comp compare`: two experiments side by side."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from competition.cli.options import Competition, DirOption, JsonOption, open_competition
from competition.errors import RefusedError

if TYPE_CHECKING:
    from competition.store.experiments import Experiment


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp compare b1 dice-0.5")(compare)


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="An experiment.", show_default=False)],
    second: Annotated[str, typer.Argument(metavar="B", help="Another one.", show_default=False)],
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show two experiments side by side.

    In which keys they differ, and what that did to each class and each fold.
    """
    from competition.cli import output
    from competition.store import experiments

    opened = open_competition(folder)
    a, b = experiments.find(opened.store, first), experiments.find(opened.store, second)
    if a.split_version != b.split_version:
        raise RefusedError(
            f"{a.name} ran on split v{a.split_version} and {b.name} on v{b.split_version}: "
            "their scores cannot be compared.",
            hint="Run the older one again on the current split: `comp run --set …`.",
        )
    found = _differences(opened, a, b)
    if as_json:
        output.print_json(found)
    else:
        _show(a.name, b.name, found)


def _differences(opened: Competition, a: "Experiment", b: "Experiment") -> dict[str, Any]:
    from competition.conditions import conditions_between

    folds_a, folds_b = _fold_scores(opened, a.name), _fold_scores(opened, b.name)
    iou_a = a.class_iou or (None,) * len(opened.settings.classes)
    iou_b = b.class_iou or (None,) * len(opened.settings.classes)
    return {
        "config": [{"key": c.key, a.name: c.old, b.name: c.new} for c in conditions_between(a.config, b.config)],
        "score": _pair(a.score, b.score),
        "class_iou": {name: _pair(x, y) for name, x, y in zip(opened.settings.classes, iou_a, iou_b, strict=True)},
        "folds": {str(k): _pair(folds_a.get(k), folds_b.get(k)) for k in sorted({*folds_a, *folds_b})},
    }


def _fold_scores(opened: Competition, name: str) -> dict[int, float | None]:
    from competition.lifecycle import JobKind
    from competition.store import jobs

    return {j.fold: j.score for j in jobs.of_experiment(opened.store, name) if j.kind is JobKind.FOLD}


def _pair(a: float | None, b: float | None) -> dict[str, float | None]:
    return {"a": a, "b": b, "delta": b - a if a is not None and b is not None else None}


def _show(a: str, b: str, found: dict[str, Any]) -> None:
    from competition.cli import output

    config = output.table("key", a, b, wrap=(a, b))
    for line in found["config"]:
        output.add_row(config, line["key"], line[a], line[b])
    output.out().print(config if found["config"] else "The same configuration.")
    scores = output.table("", a, b, "delta", right=(a, b, "delta"))
    _add(scores, "CV score", found["score"])
    for fold, pair in found["folds"].items():
        _add(scores, f"fold {fold}", pair)
    for name, pair in found["class_iou"].items():
        _add(scores, f"IoU {name}", pair)
    output.out().print()
    output.out().print(scores)


def _add(table: Any, label: str, pair: dict[str, float | None]) -> None:
    from competition.cli import output

    output.add_row(
        table, label, output.percent(pair["a"]), output.percent(pair["b"]), output.percent(pair["delta"], signed=True)
    )
