"""`comp status`: who does what, and what to do next."""

from typing import TYPE_CHECKING, Any

import typer

from competition.cli.options import Competition, DirOption, JsonOption, open_competition
from competition.lifecycle import ExperimentState, JobState
from competition.team import Role, TeamState, next_step

if TYPE_CHECKING:
    from competition.store.members import Member


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp status")(status)


def status(folder: DirOption = None, as_json: JsonOption = False) -> None:
    """Show who does what, and what to do next."""
    from competition.cli import output
    from competition.store import jobs, members

    opened = open_competition(folder)
    team = members.everyone(opened.store)
    state = _state(opened, team)
    live = jobs.in_states(opened.store, [s for s in JobState if not s.is_finished])
    board: list[dict[str, Any]] = [
        {
            "member": member.name,
            "roles": list(member.roles),
            "running": [f"{j.experiment} {j.label}" for j in live if j.member == member.name and j.state.is_live],
            "queued": sum(j.member == member.name and j.state.is_pending for j in live),
            "next": [{"role": role, "step": next_step(role, state)} for role in member.roles],
        }
        for member in team
    ]
    if as_json:
        output.print_json({"members": board, "vacant": list(state.vacant)})
        return
    if not team:
        output.out().print("Nobody is assigned yet: comp assign MEMBER ROLE")
        return
    table = output.table("member", "role", "next step", wrap=("member", "next step"))
    for line in board:
        work = [f"running: {', '.join(line['running'])}"] if line["running"] else []
        work += [f"queued: {line['queued']} jobs"] if line["queued"] else []
        steps = line["next"] or [{"role": output.NOTHING, "step": "no role yet"}]
        for number, step in enumerate(steps):
            output.add_row(table, line["member"] if number == 0 else "", step["role"], step["step"])
        for words in work:
            output.add_row(table, "", "", words)
    output.out().print(table)
    if state.vacant:
        output.say(f"Nobody holds: {', '.join(state.vacant)}.")


def _state(opened: Competition, team: list["Member"]) -> TeamState:
    from competition.store import ensembles, jobs, splits, submissions
    from competition.store.leaderboard import leaderboard

    rows = leaderboard(opened.store)
    complete = [r for r in rows if r.state is ExperimentState.COMPLETE]
    best = next((r for r in rows if r.rank == 1), None)
    held = {role for member in team for role in member.roles}
    blends = ensembles.every(opened.store)
    split = splits.current(opened.store)
    return TeamState(
        split=split is not None,
        baseline_run=any(not r.conditions and r.state is ExperimentState.COMPLETE for r in rows),
        vacant=tuple(role for role in Role if role not in held),
        untried=tuple(m.name for m in team if Role.TRAINING in m.roles and not any(r.member == m.name for r in rows)),
        complete=len(complete),
        promotable=_promotable(opened, best.name) if best is not None else None,
        blended=len({n for n in (blends[-1].weights if blends else {}) if n in {r.name for r in complete}}),
        failed=tuple(r.name for r in rows if r.state is ExperimentState.FAILED),
        pending=len(jobs.in_states(opened.store, [JobState.QUEUED])),
        submissions=len(submissions.every(opened.store)),
    )


def _promotable(opened: Competition, best: str) -> str | None:
    """The best experiment, unless it is the baseline already."""
    from competition.store import baselines, experiments

    founded = baselines.current(opened.store)
    found = experiments.find(opened.store, best)
    return best if founded is not None and found.config.sha256 != founded.config.sha256 else None
