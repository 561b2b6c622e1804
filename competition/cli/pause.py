"""`comp pause`, `resume`, `hold` and `bump`: what may start, and what goes first."""

from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import Competition, open_competition
from competition.cli.options import AsOption, DirOption, actor_name, parse_folds
from competition.errors import CompError, UnknownNameError

if TYPE_CHECKING:
    from competition.store.queue.pauses import Scope

SubjectArgument = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="An experiment or a member.", show_default="the whole queue")
]
NameArgument = Annotated[str, typer.Argument(help="An experiment.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command(epilog="Example: comp pause minsu")(pause)
    app.command(epilog="Example: comp resume minsu")(resume)
    app.command(epilog="Example: comp hold dice-0.5")(hold)
    app.command(epilog="Example: comp bump dice-0.5")(bump)


def pause(subject: SubjectArgument = None, as_member: AsOption = None, folder: DirOption = None) -> None:
    """Start nothing more of the queue, a member or an experiment.

    What runs goes on to its end.
    """
    from competition.cli.show import output
    from competition.store.queue import pauses

    opened = open_competition(folder)
    scope, subject_id = _resolve(opened, subject)
    name = subject or scope.value
    pauses.add(opened.store, scope, subject_id, name, actor=actor_name(as_member))
    output.say(
        f"Paused: nothing more of {_words(scope, name)} starts. `comp resume{_argument(subject)}` lets it go on."
    )


def hold(name: NameArgument, as_member: AsOption = None, folder: DirOption = None) -> None:
    """Save and stop an experiment's running jobs.

    None of them starts. They keep their place and go on from where they are after `comp resume`.
    """
    from competition.cli.show import output
    from competition.store import experiments
    from competition.store.queue import pauses
    from competition.store.queue.pauses import Scope

    opened = open_competition(folder)
    experiment = experiments.find(opened.store, name)
    pauses.add(opened.store, Scope.EXPERIMENT, experiment.id, name, actor=actor_name(as_member), stops=True)
    output.say(f"Held: what runs of {name} is saved and stops within seconds. `comp resume {name}` lets it go on.")


def resume(subject: SubjectArgument = None, as_member: AsOption = None, folder: DirOption = None) -> None:
    """Let the queue, a member or an experiment go on.

    After `comp pause` or `comp hold`.
    """
    from competition.cli.show import output
    from competition.store.queue import pauses

    opened = open_competition(folder)
    scope, subject_id = _resolve(opened, subject)
    name = subject or scope.value
    if not pauses.remove(opened.store, scope, subject_id, name, actor=actor_name(as_member)):
        others = "; ".join(str(found) for found in pauses.every(opened.store))
        raise CompError(f"{_words(scope, name)} is not paused.".capitalize(), hint=others or "Nothing is paused.")
    output.say(f"{_words(scope, name)} goes on.".capitalize())


def bump(
    name: NameArgument,
    folds: Annotated[str | None, typer.Option(metavar="0,1", help="Only these folds.", show_default="all")] = None,
    priority: Annotated[
        int | None, typer.Option(help="This priority (jobs start at 0).", show_default="above all that wait")
    ] = None,
    as_member: AsOption = None,
    folder: DirOption = None,
) -> None:
    """Let an experiment's pending jobs go before all others."""
    from competition.cli.show import output
    from competition.store import experiments
    from competition.store.queue import jobs

    opened = open_competition(folder)
    experiments.find(opened.store, name)
    chosen, actor = parse_folds(folds), actor_name(as_member)
    done = jobs.bump(opened.store, name, folds=chosen, priority=priority, actor=actor)
    if not done:
        raise CompError(f"No job of {name} waits.", hint="`comp queue` shows what runs and waits.")
    output.say(f"Priority {done[0].priority}: {', '.join(job.label for job in done)} of {name}.")


def _resolve(opened: Competition, subject: str | None) -> "tuple[Scope, int | None]":
    """What a name means: nothing is the whole queue; an experiment's name comes before a member's."""
    from competition.store import experiments, members
    from competition.store.queue.pauses import Scope

    if subject is None:
        return Scope.QUEUE, None
    if experiments.exists(opened.store, subject):
        return Scope.EXPERIMENT, experiments.find(opened.store, subject).id
    team = {member.name: member.id for member in members.everyone(opened.store)}
    if subject not in team:
        raise UnknownNameError.among("experiment or member", subject, [*experiments.names(opened.store), *team])
    return Scope.MEMBER, team[subject]


def _words(scope: "Scope", name: str) -> str:
    return "the queue" if name == scope.value else f"{scope.value} {name}"


def _argument(subject: str | None) -> str:
    return f" {subject}" if subject else ""
