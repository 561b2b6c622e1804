"""`comp assign`: the roles of the team."""

from dataclasses import asdict
from typing import Annotated

import typer

from competition.api import open_competition
from competition.cli.options import AsOption, DirOption, JsonOption, actor_name
from competition.errors import CompError


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp assign minsu training ensemble")(assign)


def assign(
    member: Annotated[str | None, typer.Argument(help="A person's name.", show_default=False)] = None,
    roles: Annotated[
        list[str] | None,
        typer.Argument(help="lead, eda, baseline, research, discussion, training, ensemble.", show_default=False),
    ] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Show all roles, now and before.")] = False,
    remove: Annotated[str | None, typer.Option("--remove", metavar="ROLE", help="Take this role away.")] = None,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give members roles, take a role away, or list them."""
    from competition.api import team
    from competition.cli.show import output
    from competition.cli.show import team as show
    from competition.store import members

    opened = open_competition(folder)
    actor = actor_name(as_member)
    if member is None and not list_them:
        raise CompError("No member is given.", hint="`comp assign MEMBER ROLE...`, or --list.")
    if member is not None and remove is not None:
        if roles:
            raise CompError(
                "Give roles or take one away, not both at once.", hint=f"`comp assign {member} --remove {remove}`"
            )
        team.remove_role(opened, member, remove, actor=actor)
    elif member is not None and not list_them:
        team.assign(opened, member, roles or (), actor=actor)
    found, history = members.everyone(opened.store), members.tenures(opened.store) if list_them else []
    if as_json:
        people = [{"name": m.name, "roles": list(m.roles)} for m in found]
        output.print_json({"members": people, "history": [asdict(t) for t in history]} if list_them else people)
    else:
        show.show_members(found, history)
