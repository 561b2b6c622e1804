"""`comp baseline`: what experiments start from."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from competition.api import open_competition
from competition.cli.options import AsOption, DirOption, ForceOption, JsonOption, SetOption, acting_member, add_group


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    baseline = add_group(app, "baseline", help="Show the baseline, or make an experiment the next one.")
    baseline.command(epilog="Example: comp baseline show")(show)
    baseline.command(epilog="Example: comp baseline new --as hana --set model.encoder=resnet34")(new)
    baseline.command(epilog="Example: comp baseline promote dice-0.5 --as minsu")(promote)


def show(
    as_member: AsOption = None,
    folder: DirOption = None,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="Print it in the form of baseline.yaml.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print every key of the current baseline and its value.

    It is the team's baseline, or with --as MEMBER the member's own, if there is one.
    """
    from competition.api import baselines
    from competition.cli.show import output
    from competition.cli.show.experiments import show_baseline

    opened = open_competition(folder)
    current = baselines.current(opened, acting_member(opened.store, as_member) if as_member else None)
    version = current.version
    if as_json:
        owner = version.owner if version else None
        output.print_json({"name": current.name, "lineage": owner, "config": current.config.model_dump(mode="json")})
        return
    if as_yaml:
        from competition.config import yamlfile

        output.print_lines(yamlfile.dump(current.config))
        return
    show_baseline(current)


def new(
    assignments: SetOption = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="YAML", help="A whole configuration.", show_default="the team's baseline"),
    ] = None,
    as_member: AsOption = None,
    folder: DirOption = None,
) -> None:
    """Start a lineage of your own (strategy: independent).

    Your next experiments start from its baseline, which may differ from the team's in any number of keys.
    """
    from competition.api import baselines
    from competition.cli.show import output

    opened = open_competition(folder)
    member = acting_member(opened.store, as_member)
    baseline = baselines.start_lineage(opened, member, assignments=assignments or (), file=file)
    output.say(f"{baseline.name} starts the lineage of {member}. Next: `comp run --as {shlex.quote(member)}`.")


def promote(
    experiment: Annotated[str, typer.Argument(help="A complete experiment.", show_default=False)],
    as_member: AsOption = None,
    force: ForceOption = False,
    folder: DirOption = None,
) -> None:
    """Make a complete experiment the next baseline.

    It becomes the baseline of its lineage: the team's, or a member's own. The next experiments start from it.
    Experiments that run keep their parent; `comp rebase` queues their condition on the new baseline.
    """
    from competition.api import baselines
    from competition.cli.show import output

    opened = open_competition(folder)
    member = acting_member(opened.store, as_member)
    promoted = baselines.promote(opened, experiment, member=member, force=force)
    whose, follows = (f" of {promoted.owner}", "") if promoted.owner else ("", " baseline.yaml is updated.")
    score = output.percent(opened.experiment(experiment).score)
    output.say(f"{promoted.name} is now the baseline{whose}: {experiment} ({score}).{follows}")
