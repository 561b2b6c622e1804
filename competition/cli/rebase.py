"""`comp rebase`: try a condition again on the baseline that the team has now."""

from typing import Annotated

import typer

from competition.api import open_competition
from competition.cli.options import AsOption, DirOption, JsonOption, acting_member


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp rebase lr-0.002 --as minsu")(rebase)


def rebase(
    experiment: Annotated[str, typer.Argument(help="An experiment with a condition.", show_default=False)],
    name: Annotated[
        str | None, typer.Option(help="Name of the new experiment.", show_default="EXPERIMENT@BASELINE")
    ] = None,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Queue an experiment's condition on the newest baseline.

    It is the newest baseline of the experiment's lineage. The experiment itself stays as it is; the new one is linked
    to the same ideas.
    """
    from competition.cli.show import output

    opened = open_competition(folder)
    submitted = opened.rebase(experiment, member=acting_member(opened.store, as_member), new_name=name)
    new = submitted.experiment
    if as_json:
        output.print_json({"name": new.name, "new": submitted.is_new, "jobs": submitted.new_jobs})
        return
    condition = "; ".join(str(c) for c in new.conditions)
    if submitted.is_new:
        output.say(f"{new.name}: {condition}. {submitted.new_jobs} jobs queued: `comp worker`.")
    else:
        output.say(f"That is experiment {new.name} already ({condition}).")
