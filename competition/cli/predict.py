"""`comp predict`: predict again with the trained models of an experiment, in another way."""

from typing import Annotated

import typer

from competition.api import open_competition
from competition.cli.options import AsOption, DirOption, JsonOption, acting_member, say_new_spelling
from competition.errors import CompError

SECTION = "predict."


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp predict b1 --set tta=d4")(predict)


def predict(
    experiment: Annotated[str, typer.Argument(help="An experiment whose folds are all trained.")],
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="tta=none|hflip|flips|d4, scales=[1,1.25], window=HxW, overlap=0.5."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="The new experiment's name.", show_default="what changed")] = None,
    together: Annotated[
        str | None, typer.Option(metavar="REASON", help="Why several at once (marked as confounded).")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Queue it and return; `comp worker` runs it.")] = False,
    devices: Annotated[
        str | None, typer.Option(metavar="0,1|cpu", help="The devices.", show_default="every GPU, else cpu")
    ] = None,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
    tta: Annotated[str | None, typer.Option(hidden=True)] = None,
    scales: Annotated[str | None, typer.Option(hidden=True)] = None,
    window: Annotated[str | None, typer.Option(hidden=True)] = None,
    overlap: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Predict again with trained folds, in another way.

    The result is an experiment with one condition that trains nothing: its out-of-fold predictions are scored and
    ranked, and `comp ensemble` may blend them. Short for `comp run --from EXPERIMENT --set predict.KEY=VALUE`.
    """
    from competition.cli.show import running
    from competition.experiments.request import RunRequest

    old = {"tta": tta, "scales": None if scales is None else f"[{scales}]", "window": window, "overlap": overlap}
    opened = open_competition(folder)
    request = RunRequest(
        member=acting_member(opened.store, as_member),
        name=name,
        parent=experiment,
        assignments=_assignments(experiment, assignments or [], old),
        together=together,
    )
    opened.require_trained(experiment)
    running.run(opened, request, detach=detach, devices=devices, as_json=as_json)


def _assignments(experiment: str, given: list[str], old: dict[str, str | None]) -> tuple[str, ...]:
    """The keys with their section; an option of the last version is taken and its new spelling said."""
    every = list(given)
    for key, value in old.items():
        if value is not None:
            every.append(f"{key}={value}")
            say_new_spelling(f"--{key} {value.strip('[]')}", f"--set {key}={value}")
    if not every:
        raise CompError(
            f"Nothing is to be predicted differently from {experiment}.",
            hint=f"Set tta, scales, window or overlap: `comp predict {experiment} --set tta=d4`.",
        )
    return tuple(each if each.startswith(SECTION) else f"{SECTION}{each}" for each in every)
