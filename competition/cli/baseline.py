"""`comp baseline`: what experiments start from."""

from typing import Annotated

import typer

from competition.cli.options import AsOption, DirOption, ForceOption, JsonOption, acting_member, open_competition
from competition.errors import RefusedError
from competition.team import Right

baseline = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Show the baseline, or make an experiment the next one."
)


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.add_typer(baseline, name="baseline")
    baseline.command(epilog="Example: comp baseline show")(show)
    baseline.command(epilog="Example: comp baseline promote dice-0.5 --as minsu")(promote)


def show(
    folder: DirOption = None,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="Print it as baseline.yaml holds it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the current baseline: every key and its value."""
    from competition import yamlfile
    from competition.cli import output
    from competition.config import read_config
    from competition.store import baselines

    opened = open_competition(folder)
    founded = baselines.current(opened.store)
    config = founded.config if founded else read_config(opened.paths.baseline)
    name = founded.name if founded else "b1"
    if as_json:
        output.print_json({"name": name, "config": config.model_dump(mode="json")})
        return
    if as_yaml:
        output.print_lines(yamlfile.dump(config))
        return
    table = output.table("key", "value")
    for key, value in config.leaves().items():
        output.add_row(table, key, value)
    output.out().print(table)
    origin = f", promoted from {founded.promoted_from}" if founded and founded.promoted_from else ""
    output.say(f"Baseline {name}{origin}{'' if founded else ' (not run yet: baseline.yaml may still be edited)'}.")


def promote(
    experiment: Annotated[str, typer.Argument(help="A complete experiment.", show_default=False)],
    as_member: AsOption = None,
    force: ForceOption = False,
    folder: DirOption = None,
) -> None:
    """Make a complete experiment the baseline that the team's next experiments start from."""
    from competition.cli import output
    from competition.queue.submit import write_baseline
    from competition.store import baselines, experiments, members

    opened = open_competition(folder)
    found = experiments.find(opened.store, experiment)
    member = members.find(opened.store, acting_member(opened.store, as_member))
    members.require_right(opened.store, member, Right.PROMOTE_BASELINE, force=force)
    if found.score is None and not force:
        raise RefusedError(
            f"{experiment} is not complete, so nobody knows whether it is better.",
            hint=f"`comp run {experiment}` finishes it; --force promotes it all the same.",
        )
    made = baselines.promote(
        opened.store, found.config, experiment_id=found.id, member_id=member.id, actor=member.name, forced=force
    )
    write_baseline(opened.paths, made.config)
    output.say(f"{made.name} is now the baseline: {experiment} ({output.percent(found.score)}). baseline.yaml follows.")
