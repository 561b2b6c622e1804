"""`comp pause`, `resume`, `bump`, `cancel` and `retry`: what queued and running jobs are to do."""

from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import open_competition
from competition.cli.options import (
    AsOption,
    DirOption,
    FoldsOption,
    JsonOption,
    actor_name,
    parse_folds,
    say_new_spelling,
)

if TYPE_CHECKING:
    from competition.api.control import Changed

SubjectArgument = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="An experiment or a member.", show_default="the whole queue")
]
NameArgument = Annotated[str, typer.Argument(help="An experiment or a member.", show_default=False)]
MOST_LABELS = 6


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command(epilog="Example: comp pause minsu")(pause)
    app.command(epilog="Example: comp resume minsu")(resume)
    app.command(epilog="Example: comp bump dice-0.5")(bump)
    app.command(epilog="Example: comp cancel dice-0.5 --folds 3,4")(cancel)
    app.command(epilog="Example: comp retry dice-0.5")(retry)
    app.command(hidden=True)(hold)


def pause(
    name: SubjectArgument = None,
    now: Annotated[
        bool, typer.Option("--now", help="Also save and stop what runs; it goes on from there after `comp resume`.")
    ] = False,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start no more jobs of an experiment, a member or the queue.

    Jobs that are queued later wait too. Running jobs go on to their end, unless --now stops them.
    """
    from competition.api import control

    changed = control.pause(open_competition(folder), name, actor=actor_name(as_member), now=now)
    running = "running ones are saved and stop within seconds" if now else "what runs goes on to its end"
    undo = f"`comp resume{f' {name}' if name else ''}`"
    _show(changed, f"paused; {running}. {undo} lets them start again.", as_json=as_json, list_them=False)


def resume(
    name: SubjectArgument = None,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let the jobs of a paused experiment, member or queue start."""
    from competition.api import control

    changed = control.resume(open_competition(folder), name, actor=actor_name(as_member))
    _show(changed, "may start again.", as_json=as_json, list_them=False)


def bump(
    name: NameArgument,
    folds: FoldsOption = None,
    priority: Annotated[
        int | None, typer.Option(help="This priority (jobs start with 0).", show_default="above all that wait")
    ] = None,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let waiting jobs of an experiment or a member go first."""
    from competition.api import control

    changed, given = control.bump(
        open_competition(folder), name, actor=actor_name(as_member), folds=parse_folds(folds), priority=priority
    )
    _show(changed, f"priority {given}", as_json=as_json)


def cancel(
    name: NameArgument,
    folds: FoldsOption = None,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cancel unfinished jobs of an experiment or a member.

    Running jobs stop within seconds.
    """
    from competition.api import control

    changed = control.cancel(open_competition(folder), name, actor=actor_name(as_member), folds=parse_folds(folds))
    _show(changed, "cancelled", f"`comp retry {name}` queues them again.", as_json=as_json)


def retry(
    name: NameArgument,
    folds: FoldsOption = None,
    finished_too: Annotated[
        bool, typer.Option("--finished-too", help="Also folds that succeeded, because their files are damaged.")
    ] = False,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Queue failed and cancelled jobs again."""
    from competition.api import control

    changed = control.retry(
        open_competition(folder),
        name,
        actor=actor_name(as_member),
        folds=parse_folds(folds),
        finished_too=finished_too,
    )
    _show(changed, "queued again", "`comp worker` runs them.", as_json=as_json)


def hold(name: NameArgument, as_member: AsOption = None, folder: DirOption = None) -> None:
    """Save and stop running jobs of an experiment: the old spelling of `comp pause NAME --now`."""
    say_new_spelling("comp hold NAME", "comp pause NAME --now")
    pause(name, now=True, as_member=as_member, folder=folder)


def _show(changed: "Changed", outcome: str, advice: str = "", *, as_json: bool, list_them: bool = True) -> None:
    """`2 jobs of dice-0.5: cancelled (fold 3, fold 4).`"""
    from competition.cli.show import output

    if as_json:
        output.print_json(changed.to_json())
        return
    count = len(changed.jobs)
    labels = [job.label if job.experiment == changed.name else f"{job.experiment} {job.label}" for job in changed.jobs]
    more = ", …" if count > MOST_LABELS else ""
    listed = f" ({', '.join(labels[:MOST_LABELS])}{more})." if list_them else ""
    line = f"{count} {'job' if count == 1 else 'jobs'} of {changed.subject}: {outcome}{listed}"
    output.say(f"{line} {advice}".rstrip())
