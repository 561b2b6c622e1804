"""`comp rebase`: try a condition again on the baseline that the team has now."""

from functools import partial
from typing import Annotated

import typer

from competition.api import open_competition
from competition.cli.options import AsOption, DirOption, JsonOption, acting_member


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp rebase lr-0.002 --as minsu")(rebase)


def rebase(
    experiment: Annotated[str, typer.Argument(help="Whose condition.", show_default=False)],
    name: Annotated[str | None, typer.Option(help="What to call it.", show_default="EXPERIMENT@BASELINE")] = None,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Queue an experiment's condition on the newest baseline.

    That is the newest of its lineage. The experiment itself stays as it is. Ideas that it tries are tried by the new
    one too.
    """
    from competition.cli.show import output
    from competition.experiments.rebase import rebased
    from competition.experiments.request import submit
    from competition.queue.children import ForkServer
    from competition.store import experiments, ideas

    opened = open_competition(folder)
    found = experiments.find(opened.store, experiment)
    member = acting_member(opened.store, as_member)
    request = rebased(opened.store, found, member=member, name=name)
    check_model = partial(ForkServer().check_model, root=opened.paths.root, classes=len(opened.settings.classes))
    made = submit(opened.store, opened.settings, request, check_model=check_model)
    for idea in ideas.every(opened.store):
        if found.name in idea.experiments:
            ideas.link(opened.store, idea, made.experiment, actor=member)
    if as_json:
        output.print_json({"name": made.experiment.name, "new": made.is_new, "jobs": made.new_jobs})
        return
    condition = "; ".join(str(c) for c in made.experiment.conditions)
    if made.is_new:
        output.say(f"{made.experiment.name}: {condition}. {made.new_jobs} jobs queued: `comp worker`.")
    else:
        output.say(f"That is experiment {made.experiment.name} already ({condition}).")
