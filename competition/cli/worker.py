"""`comp worker`: keep devices busy from the queue."""

from typing import Annotated

import typer

from competition.cli.options import DirOption, open_competition


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp worker --devices 0,1")(worker)


def worker(
    devices: Annotated[
        str | None, typer.Option(metavar="0,1|cpu", help="Run on these.", show_default="every GPU, else cpu")
    ] = None,
    jobs_per_device: Annotated[
        int, typer.Option(min=1, max=64, metavar="N", help="Jobs on one device at once, where its memory has room.")
    ] = 1,
    until_empty: Annotated[bool, typer.Option("--until-empty", help="Stop when nothing is queued any more.")] = False,
    folder: DirOption = None,
) -> None:
    """Keep devices busy from the queue.

    Runs until Ctrl-C; what runs then is saved and goes on with the next worker.
    """
    from competition.cli import output
    from competition.cli.board import board
    from competition.cli.pictures import drawer
    from competition.queue.children import Nursery
    from competition.queue.devices import choose
    from competition.queue.worker import Worker

    opened = open_competition(folder)
    chosen = choose(devices)
    output.say(f"Working on {', '.join(d.label for d in chosen)}. Ctrl-C stops; what runs is saved.")
    with board(opened.store) as drawn:
        made = Worker(
            opened.store,
            opened.settings,
            chosen,
            Nursery(),
            on_tick=drawn.refresh,
            on_complete=drawer(opened),
            jobs_per_device=jobs_per_device,
            tell=output.say,
        )
        done = made.work(until_empty=until_empty)
    output.say("The queue is empty." if done else "Stopped. What ran goes on with the next worker.")
