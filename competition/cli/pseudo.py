"""`comp pseudo`: test predictions that are sure enough, as further images to train on."""

from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import open_competition
from competition.cli.options import AsOption, DirOption, JsonOption, actor_name

if TYPE_CHECKING:
    from competition.ensemble.pseudo import MadePseudoLabels


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp pseudo e1 --threshold 0.95 --name sure")(pseudo)


def pseudo(
    source: Annotated[
        str, typer.Argument(metavar="ENSEMBLE|EXPERIMENT", help="Whose test predictions.", show_default=False)
    ],
    threshold: Annotated[
        float, typer.Option(min=0, max=1, metavar="T", help="Label pixels whose class has this mean probability.")
    ] = 0.9,
    name: Annotated[str | None, typer.Option(help="What to call the set.", show_default="p1, p2, …")] = None,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Label the test images with what an ensemble is sure of.

    Other pixels are void. Each fold gets labels of its own: from the members' models of that fold, which never saw its
    validation images; all members count the same, whatever the ensemble's weights. Train on them with `comp run --set
    data.pseudo=NAME`.
    """
    from competition.cli.show import output
    from competition.cli.show.predictions import show_pseudo_labels
    from competition.ensemble.pseudo import make_pseudo_labels

    opened = open_competition(folder)
    with output.step_bars() as progress:
        made = make_pseudo_labels(
            opened.store,
            opened.settings,
            source,
            threshold=threshold,
            name=name,
            actor=actor_name(as_member),
            progress=progress,
        )
    _warn(made)
    if as_json:
        output.print_json(made.to_json())
        return
    show_pseudo_labels(made)
    labels = made.labels
    output.say(f"Train on them: `comp run --set data.pseudo={labels.name}`. They lie in {labels.paths.folder}.")


def _warn(made: "MadePseudoLabels") -> None:
    """Say which classes the labels lack, and which experiments knew something of the validation images."""
    from competition.cli.show import output

    if made.missing_classes:
        missing = ", ".join(made.missing_classes)
        output.say(f"Not a single pixel of {missing}: the extension teaches the other classes alone.")
    if made.chosen_by_fold:
        output.say(
            f"{', '.join(made.chosen_by_fold)} chose an epoch by the validation fold (train.checkpoint, "
            "train.patience), so these labels know a little of it."
        )
