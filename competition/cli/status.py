"""`comp status`: who does what, what came of it, and what to do next."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from competition.api import Competition, open_competition
from competition.cli.options import DirOption, JsonOption
from competition.errors import CompError
from competition.team.next_steps import TeamState, next_steps

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from competition.experiments.leaderboard import LeaderboardRow
    from competition.store.members import Member
    from competition.store.workload import Workload


REDRAW_S = 1.0


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp status")(status)


def status(
    watch: Annotated[
        bool, typer.Option("--watch", help="Devices, queue and last events instead, drawn anew until Ctrl-C.")
    ] = False,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who does what, what came of it, and what to do next.

    Device time is that of the last seven days.
    """
    from competition.cli.show import output
    from competition.experiments.leaderboard import leaderboard
    from competition.experiments.team_state import team_state
    from competition.store import members
    from competition.store.workload import workloads

    if watch and as_json:
        raise CompError("--watch and --json do not go together.", hint="`comp queue --json` says what runs and waits.")
    opened = open_competition(folder)
    if watch:
        _watch(opened)
        return
    team, work = members.everyone(opened.store), workloads(opened.store)
    state = team_state(opened.store, opened.settings, work)
    rows = {row.name: row for row in leaderboard(opened.store, every_split=True)}
    if as_json:
        board = [_plain(member, work[member.name], rows, state) for member in team]
        output.print_json({"members": board, "vacant": list(state.vacant)})
        return
    if not team:
        output.out().print("Nobody is assigned yet: comp assign MEMBER ROLE")
        return
    output.out().print(_board(team, work, rows))
    output.out().print()
    output.out().print(_steps(team, state))
    if state.vacant:
        output.say(f"Nobody holds: {', '.join(state.vacant)}.")


def _watch(opened: Competition) -> None:
    from competition.cli.show import output
    from competition.cli.show.activity import activity
    from competition.queue.devices import choose
    from competition.queue.reaper import reap

    devices, console = choose(None), output.out()

    def draw() -> "RenderableType":
        reap(opened.store)
        return activity(opened, devices, height=console.height - 1)

    output.watch(draw, every_s=REDRAW_S, command="comp status")


def _board(team: "list[Member]", work: "dict[str, Workload]", rows: "dict[str, LeaderboardRow]") -> "Table":
    from competition.cli.show import output
    from competition.wording import outcome

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


def _steps(team: "list[Member]", state: TeamState) -> "Table":
    from competition.cli.show import output

    table = output.table("member", "role", "next", wrap=("member", "next"))
    for member in team:
        steps = [(role.value, step) for role in member.roles for step in next_steps(role, state)]
        shown_before: tuple[str, str] = ("", "")
        for role, step in steps or [(output.NOTHING, "no role yet")]:
            name = "" if shown_before[0] == member.name else member.name
            output.add_row(table, name, "" if shown_before[1] == role else role, step)
            shown_before = member.name, role
    return table


def _plain(member: "Member", work: "Workload", rows: "dict[str, LeaderboardRow]", state: TeamState) -> dict[str, Any]:
    last = rows[work.last] if work.last else None
    return {
        "member": member.name,
        "roles": list(member.roles),
        "running": list(work.running),
        "queued": work.queued,
        "device_seconds": round(work.device_s, 3),
        "last": {"name": last.name, "score": last.score, "delta": last.delta} if last else None,
        "next": [{"role": role, "step": step} for role in member.roles for step in next_steps(role, state)],
    }
