"""`comp run`: one experiment, from its condition to its row on the leaderboard."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import Competition, open_competition
from competition.cli.options import AsOption, DirOption, JsonOption, SetOption, acting_member, parse_folds
from competition.errors import CompError
from competition.lifecycle import ExperimentState
from competition.team.next_steps import after_failure

if TYPE_CHECKING:
    from competition.experiments.request import RunRequest
    from competition.store.leaderboard import LeaderboardRow
    from competition.store.plans import Submitted


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp run --as minsu --set loss.dice=0.5 --note 'less Dice, after the forum'")(run)


def run(
    name: Annotated[
        str | None, typer.Argument(help="What to call it; an existing one goes on.", show_default="from the condition")
    ] = None,
    as_member: AsOption = None,
    parent: Annotated[
        str | None, typer.Option("--from", metavar="PARENT", help="Start from it.", show_default="the baseline")
    ] = None,
    assignments: SetOption = None,
    together: Annotated[
        str | None, typer.Option(metavar="REASON", help="Why several conditions at once (marked as confounded).")
    ] = None,
    folds: Annotated[str | None, typer.Option(metavar="0,1", help="Only these folds.", show_default="all")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed than the parent's: a condition too.")] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=50, metavar="N", help="Train it with N seeds: one experiment, its mean score.")
    ] = 1,
    debug: Annotated[bool, typer.Option("--debug", help="Only the debug job: 5 % of the data, 2 epochs.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Queue it and return; `comp worker` runs it.")] = False,
    devices: Annotated[
        str | None, typer.Option(metavar="0,1|cpu", help="Run on these.", show_default="every GPU, else cpu")
    ] = None,
    note: Annotated[str, typer.Option(help="Why; kept with the experiment.")] = "",
    idea: Annotated[int | None, typer.Option(metavar="N", help="The idea that it tries (`comp idea list`).")] = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run one experiment, up to its leaderboard row.

    Without --set it is the baseline itself, with it the baseline with one condition changed. The debug job goes
    first; the folds run once its loss has fallen. Ctrl-C saves, and the same command goes on. `comp run NAME --seeds N`
    adds seeds to an experiment, which shows how much of a score is luck.
    """
    from competition.cli.show import output
    from competition.experiments.request import RunRequest, submit
    from competition.queue.children import ForkServer
    from competition.queue.devices import choose
    from competition.store import ideas

    opened = open_competition(folder)
    tried = None if idea is None else ideas.find(opened.store, idea)
    chosen = choose(devices)
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
    fork_server = ForkServer()
    submitted = _go_on(opened, request) or submit(
        opened.store,
        opened.settings,
        request,
        check_model=partial(fork_server.check_model, root=opened.paths.root, classes=len(opened.settings.classes)),
    )
    if tried is not None:
        ideas.link(opened.store, tried, submitted.experiment, actor=request.member)
    _announce(submitted, detach=detach)
    if submitted.new_jobs and not debug:
        _say_disk_need(opened, submitted.experiment.split_version)
    finished = True
    if not detach:
        from competition.cli.worker import hired

        with hired(opened, chosen, fork_server, experiment=submitted.experiment.name) as worker:
            finished = worker.work(until_empty=True)
    row = _row(opened, submitted.experiment.name)
    if as_json:
        output.print_json(row.to_json())
    elif not detach:
        from competition.cli.leaderboard import render

        output.out().print(render([row]))
    _conclude(row, finished=finished, detach=detach)


def _go_on(opened: Competition, request: "RunRequest") -> "Submitted | None":
    """`comp run NAME` of an existing experiment, with nothing changed, goes on with that experiment."""
    from competition.experiments.request import submit
    from competition.store import experiments

    if request.name is None or request.assignments or request.parent or request.seed is not None:
        return None
    if not experiments.exists(opened.store, request.name):
        return None
    return submit(opened.store, opened.settings, replace(request, parent=request.name), check_model=lambda _: None)


def _announce(submitted: "Submitted", *, detach: bool) -> None:
    from competition.cli.show import output

    experiment = submitted.experiment
    what = "; ".join(str(c) for c in experiment.conditions) or "the baseline itself"
    if submitted.is_new:
        output.say(f"{experiment.name}: {what}")
    else:
        output.say(f"This configuration is experiment {experiment.name} already ({what}).")
    if detach and not submitted.new_jobs:
        output.say("All of its jobs are queued or done: `comp queue`, `comp leaderboard`.")
    elif detach:
        jobs = "1 job" if submitted.new_jobs == 1 else f"{submitted.new_jobs} jobs"
        output.say(f"{jobs} queued. `comp worker` runs them; `comp queue` shows them.")


def _say_disk_need(opened: Competition, split_version: int) -> None:
    """What the experiment's probabilities are going to take, before anything predicts them."""
    import shutil

    from competition.cli.image_checks import read_manifest
    from competition.cli.show import output
    from competition.predictions.probabilities import disk_need
    from competition.store import splits

    manifest = read_manifest(opened)
    folds = splits.of_version(opened.store, split_version).folds
    need = disk_need(manifest.items, manifest.test, classes=len(opened.settings.classes), folds=folds)
    free = shutil.disk_usage(opened.paths.root).free
    line = f"Its probabilities will take {need / 2**20:.0f} MiB; {free / 2**20:.0f} MiB are free."
    if need > free:
        line += " That is too little: `comp artifacts archive` or `comp artifacts prune --keep N` makes room."
    output.say(line)


def _row(opened: Competition, name: str) -> "LeaderboardRow":
    from competition.store.leaderboard import leaderboard

    return next(r for r in leaderboard(opened.store, every_split=True) if r.name == name)


def _conclude(row: "LeaderboardRow", *, finished: bool, detach: bool) -> None:
    """Exit as the experiment ended."""
    if not finished:
        raise InterruptedRunError(f"Interrupted. `comp run {row.name}` goes on where it stopped.")
    if not detach and row.state is ExperimentState.FAILED:
        raise CompError(f"{row.name} failed. {row.reason}", hint=after_failure(row.name))


class InterruptedRunError(CompError):
    """Somebody pressed Ctrl-C; what was running can be resumed."""

    exit_code = 130
