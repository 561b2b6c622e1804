"""`comp worker`: keep devices busy from the queue."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import Competition, open_competition
from competition.cli.options import DirOption

if TYPE_CHECKING:
    from competition.queue.children import ForkServer
    from competition.queue.devices import Device
    from competition.queue.worker import Worker


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
    install_service: Annotated[
        bool, typer.Option("--install-service", help="Print a systemd user unit that runs this, and how to enable it.")
    ] = False,
    folder: DirOption = None,
) -> None:
    """Keep devices busy from the queue.

    Runs until Ctrl-C; what runs then is saved and goes on with the next worker.
    """
    from competition.cli.show import output
    from competition.queue.children import ForkServer
    from competition.queue.devices import choose

    opened = open_competition(folder)
    chosen = choose(devices)
    if install_service:
        _print_service(opened, devices, jobs_per_device, until_empty=until_empty)
        return
    fork_server = ForkServer()
    fork_server.warm()
    output.say(f"Working on {', '.join(d.label for d in chosen)}. Ctrl-C stops; what runs is saved.")
    with hired(opened, chosen, fork_server, jobs_per_device=jobs_per_device) as made:
        done = made.work(until_empty=until_empty)
    output.say("The queue is empty." if done else "Stopped. What ran goes on with the next worker.")


@contextmanager
def hired(
    opened: Competition,
    devices: "list[Device]",
    fork_server: "ForkServer",
    *,
    experiment: str | None = None,
    jobs_per_device: int = 1,
) -> "Iterator[Worker]":
    """A worker for all jobs, or one experiment's, that shows what it does and tells whoever is to be notified."""
    from competition.cli.notices import notices
    from competition.cli.pictures import drawer
    from competition.cli.show import output
    from competition.cli.show.live import board
    from competition.queue.worker import BrokenMachineError, Worker

    draw = drawer(opened)
    with notices(opened) as told, board(opened, devices, experiment) as drawn:

        def completed(name: str) -> None:
            if told:
                told.completed(name)
            draw(name)

        made = Worker(
            opened.store,
            opened.settings,
            devices,
            fork_server,
            experiment,
            on_tick=drawn.refresh,
            on_complete=completed,
            jobs_per_device=jobs_per_device,
            tell=output.say,
        )
        if told:
            made.on_failed = told.failed
        try:
            yield made
        except BrokenMachineError as error:
            if told:
                told.stopped(error.message)
            raise


def _print_service(opened: Competition, devices: str | None, jobs_per_device: int, *, until_empty: bool) -> None:
    from competition.cli import service
    from competition.cli.show import output
    from competition.errors import CompError

    if until_empty:
        raise CompError("--install-service is for a worker that stays, so --until-empty does not go with it.")
    options = [*(["--devices", devices] if devices else []), "--jobs-per-device", str(jobs_per_device)]
    about = (opened.settings.name, opened.paths.root, options)
    output.print_lines(service.unit(*about))
    output.say(service.how_to_enable(*about))
