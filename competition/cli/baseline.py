"""`comp baseline`: what experiments start from."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from competition.api import open_competition
from competition.cli.options import AsOption, DirOption, ForceOption, JsonOption, SetOption, acting_member, add_group
from competition.errors import RefusedError
from competition.team.roles import Right


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    baseline = add_group(app, "baseline", help="Show the baseline, or make an experiment the next one.")
    baseline.command(epilog="Example: comp baseline show")(show)
    baseline.command(epilog="Example: comp baseline new --as hana --set model.encoder=resnet34")(new)
    baseline.command(epilog="Example: comp baseline promote dice-0.5 --as minsu")(promote)


def show(
    as_member: AsOption = None,
    folder: DirOption = None,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="Print it as baseline.yaml holds it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print every key of the current baseline and its value.

    Of the team, or of --as MEMBER where the member has one.
    """
    from competition.cli.show import output
    from competition.config import yamlfile
    from competition.config.experiment import read_config
    from competition.store import baselines

    opened = open_competition(folder)
    named = acting_member(opened.store, as_member) if as_member else None
    founded = baselines.of_member(opened.store, opened.settings, named) if named else baselines.current(opened.store)
    config = founded.config if founded else read_config(opened.paths.baseline)
    name = founded.name if founded else "b1"
    if as_json:
        owner = founded.owner if founded else None
        output.print_json({"name": name, "lineage": owner, "config": config.model_dump(mode="json")})
        return
    if as_yaml:
        output.print_lines(yamlfile.dump(config))
        return
    table = output.table("key", "value")
    for key, value in config.leaves().items():
        output.add_row(table, key, value)
    output.out().print(table)
    whose = f" of {founded.owner}" if founded and founded.owner else ""
    origin = f", promoted from {founded.promoted_from}" if founded and founded.promoted_from else ""
    output.say(
        f"Baseline {name}{whose}{origin}{'' if founded else ' (not run yet: baseline.yaml may still be edited)'}."
    )


def new(
    assignments: SetOption = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="YAML", help="A whole configuration.", show_default="the team's baseline"),
    ] = None,
    as_member: AsOption = None,
    folder: DirOption = None,
) -> None:
    """Start a lineage of your own, where the strategy is independent.

    Your experiments start from its baseline from now on; it may differ from the team's in as many keys as you like.
    """
    from competition.cli.show import output
    from competition.config.experiment import read_config, with_contents, with_overrides
    from competition.config.settings import Strategy
    from competition.experiments.request import RunRequest, current_baseline, pinned
    from competition.store import baselines, members

    opened = open_competition(folder)
    member = members.find(opened.store, acting_member(opened.store, as_member))
    if opened.settings.strategy is not Strategy.INDEPENDENT:
        raise RefusedError(
            "The strategy is shared: the whole team moves one baseline forward.",
            hint="`comp baseline promote EXPERIMENT`. Lineages take `strategy: independent` in competition.yaml.",
        )
    team = current_baseline(opened.store, opened.settings, RunRequest(member.name))
    config = with_overrides(read_config(file) if file else team, assignments or [])
    config = pinned(with_contents(config, opened.paths.root), opened.paths, like=team)
    if baselines.current(opened.store, member.name) is None:
        baselines.found(opened.store, team, actor=member.name)
    made = baselines.start(opened.store, config, member)
    output.say(f"{made.name} starts the lineage of {member.name}. Next: `comp run --as {shlex.quote(member.name)}`.")


def promote(
    experiment: Annotated[str, typer.Argument(help="A complete experiment.", show_default=False)],
    as_member: AsOption = None,
    force: ForceOption = False,
    folder: DirOption = None,
) -> None:
    """Make a complete experiment the next baseline.

    Of its lineage: the team's, or a member's own. The next experiments start from it. Those that are under way keep
    their parent; `comp rebase` brings them along.
    """
    from competition.cli.show import output
    from competition.experiments.request import write_baseline
    from competition.store import baselines, experiments, members

    opened = open_competition(folder)
    found = experiments.find(opened.store, experiment)
    member = members.find(opened.store, acting_member(opened.store, as_member))
    owner = baselines.of_version(opened.store, found.baseline_version).owner
    newest = baselines.current(opened.store, owner)
    if newest is not None and newest.config == found.config:
        raise RefusedError(f"{experiment} is the baseline already ({newest.name}).")
    if owner != member.name:
        members.require_right(opened.store, member, Right.PROMOTE_BASELINE, force=force)
    if found.score is None and not force:
        raise RefusedError(
            f"{experiment} is not complete, so nobody knows whether it is better.",
            hint=f"`comp run {experiment}` finishes it; --force promotes it all the same.",
        )
    made = baselines.promote(
        opened.store, found.config, experiment_id=found.id, member_id=member.id, actor=member.name, forced=force
    )
    if made.owner is None:
        write_baseline(opened.paths, made.config)
    whose, follows = (f" of {made.owner}", "") if made.owner else ("", " baseline.yaml follows.")
    output.say(f"{made.name} is now the baseline{whose}: {experiment} ({output.percent(found.score)}).{follows}")
