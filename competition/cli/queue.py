"""`comp queue`, `cancel` and `retry`: what runs, and what to do about it."""

import math
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import Competition, open_competition
from competition.cli.options import DirOption, JsonOption
from competition.errors import CompError
from competition.lifecycle import JobState

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from competition.queue.forecast import Turn
    from competition.store.queue.jobs import Job

NameArgument = Annotated[str, typer.Argument(help="An experiment.", show_default=False)]
_ORDER = [
    JobState.RUNNING,
    JobState.SUSPECT,
    JobState.QUEUED,
    JobState.LOST,
    JobState.WAITING,
    JobState.FAILED,
    JobState.CANCELLED,
    JobState.SUCCEEDED,
]
FoldsOption = Annotated[str | None, typer.Option(metavar="0,1", help="Only these folds.", show_default="all")]


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp queue")(queue)


def queue(
    name: Annotated[str | None, typer.Argument(help="Only this experiment.", show_default="all")] = None,
    why: Annotated[bool, typer.Option("--why", help="Say what each job of NAME waits for.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="Rows to show.")] = 40,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what runs and what waits, in order.

    Priority first, then whoever has used the devices least lately, then age. `turn` is the place in that order, `in`
    the time until the job starts, from what earlier jobs took.
    """
    from competition.cli.show import output
    from competition.store.queue import jobs, pauses

    opened = open_competition(folder)
    if why and name is None:
        raise CompError("--why is about one experiment.", hint="`comp queue NAME --why`")
    unfinished = [state for state in JobState if not state.is_finished]
    running = jobs.in_states(opened.store, [state for state in JobState if state.is_live])
    turns = _turns(opened, running)
    if name is not None:
        from competition.store import experiments

        experiments.find(opened.store, name)
        found = jobs.of_experiment(opened.store, name)
    elif as_json:
        found = jobs.in_states(opened.store, unfinished)
    else:
        found = running + _next(opened, turns, most=max(0, most - len(running)))
    total = len(found) if name is not None else jobs.count(opened.store, unfinished)
    found.sort(key=lambda job: (_ORDER.index(job.state), _place(turns, job)))
    if why:
        _explain(opened, found, turns, as_json=as_json)
        return
    if as_json:
        output.print_json([{**asdict(job), **_turn(turns, job)} for job in found])
        return
    if not found:
        output.out().print("Nothing runs and nothing waits. `comp run --detach` queues an experiment.")
    else:
        output.out().print(_render(found[:most], turns))
    if total > most:
        output.say(f"… and {total - most} more; --most {total} shows them.")
    for pause in pauses.every(opened.store):
        what = "" if pause.subject == pause.scope else f" {pause.subject}"
        output.say(f"{pause}: `comp resume{what}` lets it go on.")


def upcoming(opened: Competition, running: "list[Job]", *, most: int) -> "RenderableType":
    """The next jobs as a table, or a line that says that nothing waits."""
    from rich.console import Group

    from competition.store.queue import jobs

    turns = _turns(opened, running)
    found = _next(opened, turns, most=most)
    if not found:
        return "Nothing waits. `comp run --detach` queues an experiment."
    total = jobs.count(opened.store, [state for state in JobState if state.is_pending])
    found.sort(key=lambda job: (_ORDER.index(job.state), _place(turns, job)))
    shown = _render(found, turns, waiting_only=True)
    return Group(shown, f"… and {total - len(found)} more.") if total > len(found) else shown


def _next(opened: Competition, turns: "dict[int, Turn]", *, most: int) -> "list[Job]":
    """The next jobs, in order as far as they have turns; then what is paused or waits for a debug job."""
    from competition.store.queue import jobs

    first = sorted(turns, key=lambda job_id: turns[job_id].place)[:most]
    others = jobs.in_states(opened.store, [JobState.WAITING, JobState.LOST], most=most - len(first))
    paused = [job for job in jobs.in_states(opened.store, [JobState.QUEUED], most=most) if job.id not in turns]
    return [*jobs.by_id(opened.store, first), *[*paused, *others][: most - len(first)]]


def _turns(opened: Competition, running: "list[Job]") -> "dict[int, Turn]":
    """The turns of all queued jobs, whoever is asked about."""
    from competition.queue.forecast import forecast
    from competition.store.queue import order

    slots = [(job.progress or {}).get("eta_s") for job in running]
    return forecast(order.waiting(opened.store), order.usage(opened.store), slots)


def _place(turns: "dict[int, Turn]", job: "Job") -> float:
    turn = turns.get(job.id)
    return math.inf if turn is None else turn.place


def _turn(turns: "dict[int, Turn]", job: "Job") -> dict[str, object]:
    turn = turns.get(job.id)
    return {"turn": turn.place if turn else None, "starts_in_s": turn.starts_in_s if turn else None}


def _render(shown: "list[Job]", turns: "dict[int, Turn]", *, waiting_only: bool = False) -> "Table":
    """Jobs as a table that fits 80 columns; `waiting_only`: no device, and each on one line, its names cut short."""
    from competition.cli.show import output

    columns = ("experiment", "job", "member", "state", *(() if waiting_only else ("device",)), "for", "turn", "in")
    table = output.table(*columns, right=("for", "turn", "in"), wrap=("experiment", "member"))
    name = output.clipped if waiting_only else str
    for job in shown:
        waited = output.duration(max(0.0, time.time() - (job.started_at or job.queued_at)))
        turn = turns.get(job.id)
        place = str(turn.place) if turn else ("paused" if job.state is JobState.QUEUED else output.NOTHING)
        starts = output.duration(turn.starts_in_s if turn else None)
        device = () if waiting_only else ((job.device or output.NOTHING)[:12],)
        cells = (name(job.experiment), job.label, name(job.member), job.state.value, *device, waited, place, starts)
        output.add_row(table, *cells)
    return table


def _explain(opened: Competition, found: "list[Job]", turns: "dict[int, Turn]", *, as_json: bool) -> None:
    from competition.cli.show import output
    from competition.queue.reasons import why

    reasons = {job.label: why(opened.store, job, turns) for job in found}
    if as_json:
        output.print_json([{"job": job.label, "state": job.state, "why": reasons[job.label]} for job in found])
        return
    for job in found:
        output.print_lines(f"{job.label}: {job.state}")
        for line in reasons[job.label]:
            output.print_lines(f"  {line}")
