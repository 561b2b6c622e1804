"""`comp status`: who does what, the results, and the next steps."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from competition.api import open_competition
from competition.cli.options import DirOption, JsonOption
from competition.errors import CompError
from competition.team.next_steps import TeamState, next_steps

if TYPE_CHECKING:
    from competition.experiments.leaderboard import LeaderboardRow
    from competition.store.members import Member
    from competition.store.workload import Workload


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp status")(status)


def status(
    watch: Annotated[
        bool, typer.Option("--watch", help="Show devices, queue and last events instead, until Ctrl-C.")
    ] = False,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who does what, the results, and the next steps.

    Device time is that of the last seven days.
    """
    from competition.cli.show import output
    from competition.cli.show import team as show
    from competition.experiments.leaderboard import leaderboard
    from competition.experiments.team_state import team_state
    from competition.store import members
    from competition.store.workload import workloads

    if watch and as_json:
        raise CompError("--watch and --json do not go together.", hint="`comp queue --json` says what runs and waits.")
    opened = open_competition(folder)
    if watch:
        from competition.cli.show.live import watch_activity

        watch_activity(opened)
        return
    team, work = members.everyone(opened.store), workloads(opened.store)
    state = team_state(opened.store, opened.settings, work)
    rows = {row.name: row for row in leaderboard(opened.store, every_split=True)}
    if as_json:
        board = [_plain(member, work[member.name], rows, state) for member in team]
        output.print_json({"members": board, "vacant": list(state.vacant)})
        return
    if not team:
        output.out().print("No member yet: comp assign MEMBER ROLE")
        return
    output.out().print(show.status_table(team, work, rows))
    output.out().print()
    output.out().print(show.steps_table(team, state))
    if state.vacant:
        output.say(f"Nobody holds: {', '.join(state.vacant)}.")


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
