"""`comp queue`, `cancel`, `retry` and `logs`: what runs, and what to do about it."""

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from competition.cli.options import (
    AsOption,
    DirOption,
    FoldOption,
    JsonOption,
    actor_name,
    open_competition,
    parse_folds,
)
from competition.errors import CompError
from competition.lifecycle import JobState

NameArgument = Annotated[str, typer.Argument(help="An experiment.", show_default=False)]
FoldsOption = Annotated[str | None, typer.Option(metavar="0,1", help="Only these folds.", show_default="all")]


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command(epilog="Example: comp queue")(queue)
    app.command(epilog="Example: comp cancel dice-0.5 --folds 3,4")(cancel)
    app.command(epilog="Example: comp retry dice-0.5")(retry)
    app.command(epilog="Example: comp logs dice-0.5 --fold 2 -f")(logs)


def queue(folder: DirOption = None, as_json: JsonOption = False) -> None:
    """Show what runs and what waits, in order."""
    from competition.cli import output
    from competition.store import jobs

    opened = open_competition(folder)
    found = jobs.in_states(opened.store, [s for s in JobState if not s.is_finished])
    order = [JobState.RUNNING, JobState.SUSPECT, JobState.QUEUED, JobState.LOST, JobState.WAITING]
    found.sort(key=lambda job: order.index(job.state))
    if as_json:
        output.print_json([asdict(job) for job in found])
        return
    if not found:
        output.out().print("Nothing runs and nothing waits. `comp run --detach` queues an experiment.")
        return
    table = output.table("experiment", "job", "member", "state", "device", "for", right=("for",))
    for job in found:
        since = job.started_at or job.queued_at
        device = (job.device or output.NOTHING)[:12]
        waited = output.duration(time.time() - since)
        output.add_row(table, job.experiment, job.label, job.member, job.state.value, device, waited)
    output.out().print(table)


def cancel(name: NameArgument, folds: FoldsOption = None, as_member: AsOption = None, folder: DirOption = None) -> None:
    """Cancel an experiment's unfinished jobs.

    A running one stops within seconds.
    """
    from competition.cli import output
    from competition.store import experiments, jobs

    opened = open_competition(folder)
    experiments.find(opened.store, name)
    done = jobs.cancel(opened.store, name, folds=parse_folds(folds), actor=actor_name(as_member))
    if not done:
        raise CompError(f"{name} has no unfinished job.", hint="`comp queue` shows what runs and waits.")
    output.say(f"Cancelled {name}: {', '.join(job.label for job in done)}. `comp retry {name}` brings them back.")


def retry(
    name: NameArgument,
    folds: FoldsOption = None,
    finished_too: Annotated[
        bool, typer.Option("--finished-too", help="Also folds that succeeded, because their files are damaged.")
    ] = False,
    as_member: AsOption = None,
    folder: DirOption = None,
) -> None:
    """Queue again what failed or was cancelled."""
    from competition.cli import output
    from competition.store import experiments, jobs

    opened = open_competition(folder)
    experiments.find(opened.store, name)
    chosen, actor = parse_folds(folds), actor_name(as_member)
    done = jobs.retry(opened.store, name, folds=chosen, actor=actor, finished_too=finished_too)
    if not done:
        raise CompError(f"{name} has no failed or cancelled job.", hint=f"`comp run {name}` adds folds not asked for.")
    output.say(f"Queued {name}: {', '.join(job.label for job in done)}. `comp run {name}` or `comp worker` runs them.")


def logs(
    name: NameArgument,
    fold: FoldOption = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as the log grows.")] = False,
    folder: DirOption = None,
) -> None:
    """Print what a job printed.

    Of one fold, or of the job that printed last.
    """
    from competition.store import experiments, jobs

    opened = open_competition(folder)
    experiments.find(opened.store, name)
    present = jobs.of_experiment(opened.store, name)
    wanted = [job for job in present if fold in (None, job.path_fold)]
    paths = [opened.paths.job(name, job.path_fold, job.repeat).log for job in wanted]
    written = [p for p in dict.fromkeys(paths) if p.is_file()]
    if not paths or not (written or follow):
        label = f"fold {fold} of {name}" if fold is not None else name
        raise CompError(f"No job of {label} has printed anything yet.", hint="`comp queue` shows what waits.")
    path = max(written, key=lambda p: p.stat().st_mtime) if written else paths[0]
    position = _print_from(path, 0)
    while follow and any(not job.state.is_finished for job in jobs.of_experiment(opened.store, name)):
        time.sleep(0.5)
        position = _print_from(path, position)


def _print_from(path: Path, position: int) -> int:
    """Print what stands behind `position` in a log; the position of its end."""
    if not path.is_file():
        return position
    with path.open("rb") as file:
        file.seek(position)
        sys.stdout.write(file.read().decode("utf-8", errors="replace"))
        sys.stdout.flush()
        return file.tell()
