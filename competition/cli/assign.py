"""`comp assign`: who answers for what."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import open_competition
from competition.cli.options import AsOption, DirOption, JsonOption, actor_name
from competition.errors import CompError

if TYPE_CHECKING:
    from competition.store.engine import Store
    from competition.store.members import Tenure


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp assign minsu training ensemble")(assign)


def assign(
    member: Annotated[str | None, typer.Argument(help="A person's name.", show_default=False)] = None,
    roles: Annotated[
        list[str] | None,
        typer.Argument(help="lead, eda, baseline, research, discussion, training, ensemble.", show_default=False),
    ] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Show everybody's roles, now and before.")] = False,
    remove: Annotated[str | None, typer.Option("--remove", metavar="ROLE", help="Take this role away.")] = None,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give members roles, take them away, list them."""
    from competition.api import team

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
    _show(opened.store, as_json=as_json, history=list_them)


def _show(store: "Store", *, as_json: bool, history: bool) -> None:
    from competition.cli.show import output
    from competition.store import members

    team = members.everyone(store)
    tenures = members.tenures(store) if history else []
    if as_json:
        people = [{"name": m.name, "roles": list(m.roles)} for m in team]
        output.print_json({"members": people, "history": [asdict(t) for t in tenures]} if history else people)
        return
    table = output.table("member", "roles", wrap=("roles",))
    for m in team:
        output.add_row(table, m.name, ", ".join(m.roles) or output.NOTHING)
    output.out().print(table if team else "Nobody is assigned yet: comp assign MEMBER ROLE")
    if any(t.revoked_at for t in tenures):
        output.out().print()
        _show_history(tenures)


def _show_history(tenures: list["Tenure"]) -> None:
    from competition.cli.show import output

    table = output.table("member", "role", "from", "until")
    for tenure in tenures:
        until = _day(tenure.revoked_at) if tenure.revoked_at else "now"
        output.add_row(table, tenure.member, tenure.role, _day(tenure.granted_at), until)
    output.out().print(table)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")
