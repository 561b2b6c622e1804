"""`comp worker`: keep devices busy from the queue."""

from functools import partial
from typing import Annotated

import typer

from competition.api import Competition, open_competition
from competition.cli.options import DirOption


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp worker --devices 0,1")(worker)


def worker(
    devices: Annotated[
        str | None, typer.Option(metavar="0,1|cpu", help="The devices.", show_default="every GPU, else cpu")
    ] = None,
    jobs_per_device: Annotated[
        int, typer.Option(min=1, max=64, metavar="N", help="Jobs on one device at a time, if its memory has room.")
    ] = 1,
    until_empty: Annotated[bool, typer.Option("--until-empty", help="Stop when the queue is empty.")] = False,
    install_service: Annotated[
        bool, typer.Option("--install-service", help="Print a systemd user unit that runs this, and how to enable it.")
    ] = False,
    folder: DirOption = None,
) -> None:
    """Run the jobs of the queue on the devices of this machine.

    Runs until Ctrl-C, which saves the running jobs; the next worker continues them.
    """
    from competition.cli.show import output
    from competition.cli.show.working import shown
    from competition.queue.devices import choose

    opened = open_competition(folder)
    chosen = choose(devices)
    if install_service:
        _print_service(opened, devices, jobs_per_device, until_empty=until_empty)
        return
    opened.fork_server.warm()
    output.say(f"Working on {', '.join(d.label for d in chosen)}. Ctrl-C saves the running jobs and stops.")
    done = opened.work(
        devices=devices, jobs_per_device=jobs_per_device, until_empty=until_empty, watching=partial(shown, opened)
    )
    output.say("The queue is empty." if done else "Stopped. The next worker continues the jobs.")


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
