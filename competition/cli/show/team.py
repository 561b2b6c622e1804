"""Tables about the team: members and their roles, ideas, who does what, and what to do next."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.table import Table

from competition.cli.show import output
from competition.team.next_steps import TeamState, next_steps
from competition.wording import outcome

if TYPE_CHECKING:
    from competition.experiments.leaderboard import LeaderboardRow
    from competition.store.ideas import Idea
    from competition.store.members import Member, Tenure
    from competition.store.workload import Workload


def show_members(members: "Sequence[Member]", history: "Sequence[Tenure]") -> None:
    """Print the members with their roles, and who held which role before, where a role was taken away."""
    table = output.table("member", "roles", wrap=("roles",))
    for member in members:
        output.add_row(table, member.name, ", ".join(member.roles) or output.NOTHING)
    output.out().print(table if members else "No member yet: comp assign MEMBER ROLE")
    if any(tenure.revoked_at for tenure in history):
        output.out().print()
        _show_history(history)


def _show_history(tenures: "Sequence[Tenure]") -> None:
    table = output.table("member", "role", "from", "until")
    for tenure in tenures:
        until = _day(tenure.revoked_at) if tenure.revoked_at else "now"
        output.add_row(table, tenure.member, tenure.role, _day(tenure.granted_at), until)
    output.out().print(table)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")


def show_ideas(found: "Sequence[Idea]", rows: "Mapping[str, LeaderboardRow]") -> None:
    """Print each idea with the experiments that try it, and what these gained."""
    if not found:
        output.out().print("No idea yet: comp idea add TEXT --source URL")
        return
    table = output.table("#", "idea", "by", "experiment", "outcome", right=("#",), wrap=("idea", "by", "experiment"))
    for each in found:
        what = f"{each.text}\n{each.source}" if each.source else each.text
        tried = [(name, outcome(rows[name])) for name in each.experiments] or [(output.NOTHING, "not tried")]
        for place, ends in enumerate(tried):
            cells = (each.id, what, each.member) if place == 0 else ("", "", "")
            output.add_row(table, *cells, *ends)
    output.out().print(table)


def status_table(
    team: "Sequence[Member]", work: "Mapping[str, Workload]", rows: "Mapping[str, LeaderboardRow]"
) -> Table:
    """A row per member: roles, running and queued jobs, device time, and the last result."""

    table = output.table(
        "member",
        "roles",
        "running",
        "queued",
        "device time",
        "last result",
        right=("queued", "device time"),
        wrap=("member", "roles", "running", "last result"),
    )
    for member in team:
        own = work[member.name]
        output.add_row(
            table,
            member.name,
            ", ".join(member.roles) or output.NOTHING,
            ", ".join(own.running) or output.NOTHING,
            own.queued or output.NOTHING,
            output.duration(own.device_s) if own.device_s else output.NOTHING,
            f"{own.last}: {outcome(rows[own.last])}" if own.last else output.NOTHING,
        )
    return table


def steps_table(team: "Sequence[Member]", state: TeamState) -> Table:
    """What each member can do next, by role."""

    table = output.table("member", "role", "next", wrap=("member", "next"))
    for member in team:
        steps = [(role.value, step) for role in member.roles for step in next_steps(role, state)]
        shown_before: tuple[str, str] = ("", "")
        for role, step in steps or [(output.NOTHING, "no role yet")]:
            name = "" if shown_before[0] == member.name else member.name
            output.add_row(table, name, "" if shown_before[1] == role else role, step)
            shown_before = member.name, role
    return table
