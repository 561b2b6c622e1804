"""`comp idea`: the ideas of the team, and their results."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from competition.api import open_competition
from competition.cli.options import AsOption, DirOption, JsonOption, acting_member, add_group, say_new_spelling

if TYPE_CHECKING:
    from competition.experiments.leaderboard import LeaderboardRow
    from competition.store.ideas import Idea


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    idea = add_group(app, "idea", help="Write ideas down, and see their results.")
    idea.command(epilog="Example: comp idea add 'lovasz loss' --source https://arxiv.org/abs/1705.08790 --as minsu")(
        add
    )
    idea.command("list", epilog="Example: comp idea list --json")(list_)


def add(
    text: Annotated[str, typer.Argument(help="The idea, in a line.", show_default=False)],
    source: Annotated[str | None, typer.Option(metavar="URL", help="Where it comes from.")] = None,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
    by: Annotated[str | None, typer.Option("--by", hidden=True)] = None,
) -> None:
    """Write down an idea for an experiment."""
    from competition.api import team
    from competition.cli.show import output

    if by is not None:
        say_new_spelling(f"--by {by}", f"--as {by}")
    opened = open_competition(folder)
    idea = team.add_idea(opened, text, member=acting_member(opened.store, as_member or by), source=source)
    if as_json:
        output.print_json(idea.to_json())
    else:
        output.say(f"Idea {idea.id}. `comp run --idea {idea.id} --set KEY=VALUE` tries it.")


def list_(folder: DirOption = None, as_json: JsonOption = False) -> None:
    """Show every idea, the experiments that try it, and their gain."""
    from competition.cli.show import output, team
    from competition.experiments.leaderboard import leaderboard
    from competition.store import ideas

    opened = open_competition(folder)
    found = ideas.every(opened.store)
    rows = {row.name: row for row in leaderboard(opened.store, every_split=True)}
    if as_json:
        output.print_json([_plain(each, rows) for each in found])
        return
    team.show_ideas(found, rows)


def _plain(each: "Idea", rows: "dict[str, LeaderboardRow]") -> dict[str, Any]:
    tried = [rows[name] for name in each.experiments]
    outcomes = [{"name": r.name, "state": r.state.value, "score": r.score, "delta": r.delta} for r in tried]
    return {**each.to_json(), "experiments": outcomes}
