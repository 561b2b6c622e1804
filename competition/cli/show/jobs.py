"""Jobs in words and in tables: how far each is, when it starts, and what it waits for."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table

from competition.cli.show import output
from competition.lifecycle import JobState
from competition.store.queue.jobs import Job

if TYPE_CHECKING:
    from competition.api.queue import QueueView


def show(view: "QueueView", *, most: int) -> None:
    """Print the queue, and how to let what is paused go on."""
    if not view.jobs:
        output.out().print("Nothing runs and nothing waits. `comp run --detach` queues an experiment.")
    else:
        output.out().print(_table(view, view.jobs[:most]))
    if view.total > most:
        output.say(f"… and {view.total - most} more; --most {view.total} shows them.")
    for pause in view.pauses:
        name = "" if pause.subject == pause.scope else f" {pause.subject}"
        output.say(f"{pause}: `comp resume{name}` lets it go on.")


def show_reasons(view: "QueueView", reasons: Mapping[str, Sequence[str]], *, as_json: bool) -> None:
    """Print what each job waits for."""
    if as_json:
        output.print_json([{"job": job.label, "state": job.state, "why": reasons[job.label]} for job in view.jobs])
        return
    for job in view.jobs:
        output.print_lines(f"{job.label}: {job.state}")
        for line in reasons[job.label]:
            output.print_lines(f"  {line}")


def upcoming_table(view: "QueueView") -> RenderableType:
    """The next jobs as a table, or a line that says that nothing waits."""
    if not view.jobs:
        return "Nothing waits. `comp run --detach` queues an experiment."
    drawn = _table(view, view.jobs, waiting_only=True)
    more = view.total - len(view.jobs)
    return Group(drawn, f"… and {more} more.") if more > 0 else drawn


def _table(view: "QueueView", jobs: Sequence[Job], *, waiting_only: bool = False) -> Table:
    """Jobs as a table that fits 80 columns; `waiting_only`: no device, and each on one line, its names cut short."""
    columns = ("experiment", "job", "member", "state", *(() if waiting_only else ("device",)), "for", "turn", "in")
    table = output.table(*columns, right=("for", "turn", "in"), wrap=("experiment", "member"))
    name = output.clipped if waiting_only else str
    for job in jobs:
        waited = output.duration(max(0.0, time.time() - (job.started_at or job.queued_at)))
        turn = view.turns.get(job.id)
        place = str(turn.place) if turn else ("paused" if job.state is JobState.QUEUED else output.NOTHING)
        starts = output.duration(turn.starts_in_s if turn else None)
        device = () if waiting_only else ((job.device or output.NOTHING)[:12],)
        cells = (name(job.experiment), job.label, name(job.member), job.state.value, *device, waited, place, starts)
        output.add_row(table, *cells)
    return table


def in_words(job: Job) -> str:
    """How far a job is, or how it ended."""
    progress = job.progress or {}
    if job.state is JobState.SUCCEEDED:
        return "succeeded" if job.score is None else f"succeeded, score {output.percent(job.score)}"
    if not (job.state.is_live and progress):
        return f"{job.state}{f' ({job.reason})' if job.reason else ''}"
    memory = f", {progress['memory_mib']} MiB" if progress.get("memory_mib") else ""
    if progress["loss"] is None:
        return f"{progress['phase']} {progress['batch']}/{progress['batches']}{memory}"
    return (
        f"epoch {at(job)}, loss {progress['loss']:.3f}, score {output.percent(progress.get('score'))}, "
        f"lr {number(progress.get('lr'), '.1e')}, {progress['images_per_s']:.1f} images/s{memory}, "
        f"ETA {output.duration(progress.get('eta_s'))}"
    )


def at(job: Job) -> str:
    """How far a running job is; the state of any other."""
    if job.state is not JobState.RUNNING or not job.progress:
        return job.state.value
    return stage_of(job.progress)


def stage_of(progress: dict[str, Any]) -> str:
    """The epoch, `3/20`, or what the job does before the first."""
    return f"{progress['epoch']}/{progress['epochs']}" if progress["loss"] is not None else str(progress["phase"])


def number(value: float | None, form: str) -> str:
    """Formatted, or a sign that there is none."""
    return output.NOTHING if value is None else format(value, form)
