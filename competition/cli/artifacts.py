"""`comp artifacts`: the stored probabilities, and the disk that they take."""

from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import open_competition
from competition.cli.options import AsOption, DirOption, JsonOption, actor_name, add_group

if TYPE_CHECKING:
    from competition.predictions.retention import Kept

KeepOption = Annotated[int, typer.Option(min=0, help="Leave those of the best N experiments as they are.")]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    artifacts = add_group(app, "artifacts", help="Show, archive or prune probabilities.")
    artifacts.command(epilog="Example: comp artifacts show")(show)
    artifacts.command(epilog="Example: comp artifacts archive --keep 5")(archive)
    artifacts.command(epilog="Example: comp artifacts prune --keep 10")(prune)


def show(folder: DirOption = None, as_json: JsonOption = False) -> None:
    """List the stored probabilities: whose, how large, who needs them."""
    from competition.cli.show import output
    from competition.cli.show.predictions import show_kept
    from competition.predictions.retention import find

    found = find(open_competition(folder).store)
    if as_json:
        output.print_json([kept.to_json() for kept in found])
        return
    if not found:
        output.out().print("No probabilities. The first finished fold stores some.")
        return
    show_kept(found)


def archive(
    keep: KeepOption = 0,
    dry_run: DryOption = False,
    as_member: AsOption = None,
    folder: DirOption = None,
) -> None:
    """Deflate probabilities, some four to six times smaller.

    Ensembles and submissions go on reading them, more slowly.
    """
    from competition.cli.show import output
    from competition.cli.show.predictions import mib
    from competition.predictions import retention as work

    store = open_competition(folder).store
    chosen = [kept for kept in work.beyond(work.find(store), keep) if kept.raw]
    shards = sum(len(kept.raw) for kept in chosen)
    if dry_run:
        _say_chosen("Would archive", chosen)
        return
    with output.progress_bar("Archiving") as progress:
        done = iter(range(1, shards + 1))
        freed = work.archive(store, chosen, actor=actor_name(as_member), advance=lambda: progress(next(done), shards))
    output.say(f"Archived {shards} shards of {len(chosen)} experiments: {mib(freed)} MiB freed.")


def prune(
    keep: Annotated[int, typer.Option(min=0, help="Keep those of the best N experiments.", show_default=False)],
    dry_run: DryOption = False,
    as_member: AsOption = None,
    folder: DirOption = None,
) -> None:
    """Remove the probabilities of all but the best N experiments.

    Never those that an ensemble or a submission refers to. Models and scores stay; `comp retry EXPERIMENT
    --finished-too` trains again what wrote them.
    """
    from competition.cli.show import output
    from competition.cli.show.predictions import mib
    from competition.predictions import retention as work

    store = open_competition(folder).store
    found = work.find(store)
    chosen = work.prunable(found, keep)
    spared = [kept for kept in work.beyond(found, keep) if kept.needed_by]
    if spared:
        output.say("Kept, because something refers to them: " + ", ".join(kept.experiment for kept in spared))
    if dry_run:
        _say_chosen("Would remove", chosen)
        return
    freed = work.prune(store, chosen, actor=actor_name(as_member))
    output.say(f"Removed the probabilities of {len(chosen)} experiments: {mib(freed)} MiB freed.")


def _say_chosen(what: str, chosen: list["Kept"]) -> None:
    from competition.cli.show import output
    from competition.cli.show.predictions import mib

    listed = ", ".join(f"{kept.experiment} ({mib(kept.bytes)} MiB)" for kept in chosen)
    output.say(f"{what}: {listed or 'nothing'}.")
