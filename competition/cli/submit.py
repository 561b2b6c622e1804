"""`comp submit`: write a submission in the format that the competition wants."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from competition.cli.options import AsOption, Competition, DirOption, acting_member, open_competition
from competition.errors import RefusedError, UnknownNameError

if TYPE_CHECKING:
    from competition.ensemble.members import Member


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp submit e1 --format rle-csv")(submit)


def submit(
    source: Annotated[str, typer.Argument(metavar="ENSEMBLE|EXPERIMENT", help="What to submit.", show_default=False)],
    form: Annotated[str, typer.Option("--format", help="png, rle-csv or labels-csv.")] = "png",
    output_path: Annotated[
        Path | None, typer.Option("--output", metavar="PATH", help="Where to.", show_default="runs/submissions/")
    ] = None,
    as_member: AsOption = None,
    folder: DirOption = None,
) -> None:
    """Write a submission file.

    Blends the test predictions of every fold model of every member.
    """
    from competition.cli import output
    from competition.ensemble.writers import Format
    from competition.files import sha256_of_tree
    from competition.store import submissions

    if form not in list(Format):
        raise UnknownNameError.among("format", form, list(Format), hint=f"Formats: {', '.join(Format)}")
    opened = open_competition(folder)
    member = acting_member(opened.store, as_member)
    members, weights = _resolve(opened, source)
    suffix = "" if form == Format.PNG else ".csv"
    target = output_path or opened.paths.submissions() / f"{source}-{form}{suffix}"
    images = write_submission(opened, members, weights, form, target)
    sha = sha256_of_tree(target)
    submissions.record(opened.store, submissions.Submission(source, form, str(target), sha, images, member))
    output.print_lines(str(target))
    output.say(f"{images} test images of {source} as {form}, sha256 {sha[:12]}.")


def write_submission(
    opened: Competition, members: list["Member"], weights: Mapping[str, float], form: str, target: Path
) -> int:
    """Blend the members' test predictions and write them to `target`; the number of images."""
    from competition.cli import output
    from competition.data.manifest import Manifest
    from competition.ensemble.predictions import test_labels
    from competition.ensemble.writers import Format, write
    from competition.store import competition

    manifest = Manifest.read(opened.paths.manifest(competition.fingerprint(opened.store)))
    names = {item.id: item.image for item in manifest.test}
    with output.progress_bar("Writing test predictions") as progress:
        labels = test_labels(members, weights, progress=progress)
        return write(Format(form), ((i, names[i], mask) for i, mask in labels), target, opened.settings.classes)


def _resolve(opened: Competition, source: str) -> tuple[list["Member"], dict[str, float]]:
    """The members and weights behind an ensemble's or an experiment's name."""
    from competition.cli.ensemble import member_of
    from competition.store import ensembles, experiments
    from competition.store.leaderboard import leaderboard

    if not opened.settings.data.test_images:
        raise RefusedError("The competition has no test images, so there is nothing to submit.")
    blends = {e.name: e for e in ensembles.every(opened.store)}
    if source in blends:
        weights = blends[source].weights
    elif experiments.exists(opened.store, source):
        weights = {source: 1.0}
    else:
        known = [*blends, *(row.name for row in leaderboard(opened.store))]
        raise UnknownNameError.among("ensemble or experiment", source, known)
    return [member_of(opened, experiments.find(opened.store, name)) for name in weights], weights
