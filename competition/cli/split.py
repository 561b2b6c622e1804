"""`comp split`: which images validate which model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import open_competition
from competition.cli.options import AsOption, DirOption, ForceOption, JsonOption, actor_name

if TYPE_CHECKING:
    pass


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp split --scheme stratified-group --folds 5")(split)


def split(
    scheme: Annotated[
        str | None,
        typer.Option(
            help="holdout, kfold, stratified, group or stratified-group.",
            show_default="stratified-group with groups, else stratified",
        ),
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="How many folds (a hold-out has one).")] = 5,
    valid_fraction: Annotated[float, typer.Option(help="Hold-out: the share of images to validate on.")] = 0.2,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1)] = 42,
    split_column: Annotated[
        str | None, typer.Option(metavar="COL", help="Take the folds from this column of data.meta.")
    ] = None,
    folds_csv: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Take the folds from a file with the columns id and fold.")
    ] = None,
    allow_leaks: Annotated[
        str | None, typer.Option(metavar="REASON", help="Accept a split that leaks; the leaderboard shows why.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Only write the current split to this file.")
    ] = None,
    force: ForceOption = False,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Split the images into folds, once for the whole team.

    Near-duplicates stay in one fold; so do groups, if the scheme has `group` in its name. A split that separates images
    which belong together is refused.
    """
    from competition.api import data
    from competition.cli.show import data as show
    from competition.cli.show import output

    opened = open_competition(folder)
    if export is not None:
        version, current = data.export_split(opened, export)
        about = f"{len(current.assignment)} images, hash {current.hash[:12]}"
        output.say(f"Wrote split v{version} ({about}) to {export}.")
        output.say(f"`comp split --folds-csv {export}` makes the same split again.")
        return
    request = data.SplitRequest(
        scheme=scheme,
        folds=folds,
        valid_fraction=valid_fraction,
        seed=seed,
        column=split_column,
        file=folds_csv,
        leaks_allowed=allow_leaks,
        force=force,
    )
    report = data.split(opened, request, actor=actor_name(as_member), bars=output.progress_bar)
    for note in report.notes:
        output.say(note)
    if as_json:
        output.print_json(report.to_json(opened.settings.classes))
    else:
        show.show_split(report, opened.settings.classes)
