"""`comp run`: one experiment, from its condition to its row on the leaderboard."""

from typing import Annotated

import typer

from competition.api import open_competition
from competition.cli.options import AsOption, DirOption, JsonOption, SetOption, acting_member, parse_folds


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp run --as minsu --set loss.dice=0.5 --note 'less Dice, after the forum'")(run)


def run(
    name: Annotated[
        str | None,
        typer.Argument(help="Its name; an existing experiment continues.", show_default="from the condition"),
    ] = None,
    as_member: AsOption = None,
    parent: Annotated[
        str | None,
        typer.Option("--from", metavar="PARENT", help="Experiment to start from.", show_default="the baseline"),
    ] = None,
    assignments: SetOption = None,
    together: Annotated[
        str | None, typer.Option(metavar="REASON", help="Why several conditions at once (marked as confounded).")
    ] = None,
    folds: Annotated[str | None, typer.Option(metavar="0,1", help="Only these folds.", show_default="all")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Another seed than the parent's; counts as the condition.")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=50, metavar="N", help="Train with N seeds; the score is their mean.")
    ] = 1,
    debug: Annotated[bool, typer.Option("--debug", help="Only the debug job: 5 % of the data, 2 epochs.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Queue it and return; `comp worker` runs it.")] = False,
    devices: Annotated[
        str | None, typer.Option(metavar="0,1|cpu", help="The devices.", show_default="every GPU, else cpu")
    ] = None,
    note: Annotated[str, typer.Option(help="A note, kept with the experiment.")] = "",
    idea: Annotated[
        int | None, typer.Option(metavar="N", help="Number of the idea that it tries (`comp idea list`).")
    ] = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run one experiment and rank it.

    Without --set it runs the baseline itself, with --set the baseline with one condition changed. The debug job runs
    first; the folds run if its loss has fallen. Ctrl-C saves, and the same command continues. `comp run NAME --seeds N`
    adds seeds to an experiment, which measures seed noise.
    """
    from competition.cli.show import running
    from competition.experiments.request import RunRequest

    opened = open_competition(folder)
    request = RunRequest(
        member=acting_member(opened.store, as_member),
        name=name,
        parent=parent,
        assignments=tuple(assignments or ()),
        together=together,
        folds=parse_folds(folds),
        seed=seed,
        seeds=seeds,
        debug_only=debug,
        note=note,
    )
    running.run(opened, request, idea=idea, detach=detach, devices=devices, as_json=as_json)
