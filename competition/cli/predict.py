"""`comp predict`: the models of an experiment, predicting another way."""

from typing import Annotated

import typer

from competition.api import Competition, open_competition
from competition.cli.options import AsOption, DirOption, JsonOption
from competition.errors import CompError, RefusedError


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp predict b1 --tta d4")(predict)


def predict(
    experiment: Annotated[str, typer.Argument(help="Whose trained folds to use.")],
    tta: Annotated[
        str | None, typer.Option(metavar="none|hflip|flips|d4", help="Average over these views of each image.")
    ] = None,
    scales: Annotated[
        str | None, typer.Option(metavar="1,1.25", help="Average over the image at these sizes, times its own.")
    ] = None,
    window: Annotated[
        str | None, typer.Option(metavar="HxW|none", help="Predict large images piece by piece, this many pixels.")
    ] = None,
    overlap: Annotated[float | None, typer.Option(metavar="0.5", help="What neighbouring windows share.")] = None,
    name: Annotated[str | None, typer.Option(help="What to call it.", show_default="from what changed")] = None,
    together: Annotated[
        str | None, typer.Option(metavar="REASON", help="Why several at once (marked as confounded).")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Queue it and return; `comp worker` runs it.")] = False,
    devices: Annotated[
        str | None, typer.Option(metavar="0,1|cpu", help="Run on these.", show_default="every GPU, else cpu")
    ] = None,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Predict again with trained folds, in another way.

    The result ranks with the others. It becomes an experiment of its own, with one condition, that trains nothing:
    short for `comp run --from EXPERIMENT --set predict.tta=…`. Its out-of-fold predictions are scored like any
    other's, and `comp ensemble` may blend them.
    """
    from competition.cli.run import run

    _check_trained(open_competition(folder), experiment)
    given = {"tta": tta, "scales": None if scales is None else f"[{scales}]", "window": window, "overlap": overlap}
    assignments = [f"predict.{key}={value}" for key, value in given.items() if value is not None]
    if not assignments:
        raise CompError(
            "Nothing to predict differently.",
            hint=f"Give one of --tta, --scales, --window: `comp predict {experiment} --tta d4`.",
        )
    run(
        name,
        parent=experiment,
        assignments=assignments,
        together=together,
        detach=detach,
        devices=devices,
        as_member=as_member,
        folder=folder,
        as_json=as_json,
    )


def _check_trained(opened: Competition, name: str) -> None:
    """A fold that is not trained would be, which nobody expects of a command that predicts."""
    from competition.lifecycle import JobKind, JobState
    from competition.store import experiments, splits
    from competition.store.queue import jobs

    found, split = experiments.find(opened.store, name), splits.require_current(opened.store)
    if found.split_version != split.version:
        raise RefusedError(
            f"{name} was trained on split v{found.split_version}, and the current one is v{split.version}.",
            hint=f"`comp run --from {name}` trains it on that.",
        )
    every = [j for j in jobs.of_experiment(opened.store, name) if j.kind is JobKind.FOLD]
    done = {j.fold for j in every if j.state is JobState.SUCCEEDED}
    missing = [str(fold) for fold in range(split.folds) if fold not in done]
    if missing:
        raise RefusedError(
            f"{name} has no trained model of fold {', '.join(missing)}.",
            hint=f"`comp run {name}` trains what is missing, `comp retry {name}` what has failed.",
        )
