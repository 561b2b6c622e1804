"""`comp reproduce`: is a result what its record says?"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import open_competition
from competition.cli.options import DirOption, JsonOption
from competition.errors import CompError

if TYPE_CHECKING:
    from competition.jobspec import Progress


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp reproduce dice-0.5 --fold 2")(reproduce)


def reproduce(
    experiment: Annotated[str, typer.Argument(help="An experiment.")],
    fold: Annotated[int, typer.Option("--fold", min=0, help="The fold to train again.")] = 0,
    tolerance: Annotated[
        float, typer.Option(min=0, max=1, help="Largest difference of the score that is still the same, as a fraction.")
    ] = 0.005,
    devices: Annotated[
        str | None, typer.Option(metavar="0|cpu", help="The device.", show_default="the first GPU, else cpu")
    ] = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train one fold again and compare the result.

    The experiment itself stays as it is. Identical means the same weights and predictions, byte for byte. If
    they differ, the records of both runs (code, versions, device, data) are compared. The exit code is 1 if the score
    differs by more than the tolerance.
    """
    from competition.api.reproduce import Sameness, reproduce
    from competition.cli.show import output
    from competition.cli.show.experiments import show_reproduction
    from competition.queue.devices import choose

    opened = open_competition(folder)
    device = choose(devices)[0]
    output.say(f"Training fold {fold} of {experiment} again on {device.label}.")
    with output.progress_bar(f"{experiment}, fold {fold}") as bar:

        def show(progress: "Progress | None") -> None:
            if progress is not None:
                done = progress.epoch - 1 + (progress.batch / progress.batches if progress.phase == "train" else 1)
                bar(round(100 * done), 100 * progress.epochs)

        found = reproduce(
            opened.store,
            opened.settings,
            opened.fork_server,
            device,
            experiment,
            fold,
            tolerance=tolerance,
            on_progress=show,
        )
    if as_json:
        output.print_json(asdict(found))
    else:
        show_reproduction(found)
    if found.sameness is Sameness.DIFFERENT:
        kept = opened.paths.reproduction(experiment, fold).folder.relative_to(opened.paths.root)
        raise CompError(
            f"{experiment}, fold {fold}, scores {output.percent(found.score)} now, not "
            f"{output.percent(found.recorded_score)}.",
            hint=f"This run's files are in {kept}.",
        )
