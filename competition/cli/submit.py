"""`comp submit`: write a submission in the format that the competition wants, and record it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import Competition, open_competition
from competition.cli import advise
from competition.cli.options import AsOption, DirOption, ForceOption, JsonOption, acting_member
from competition.cli.sources import Source, find_source
from competition.cli.writing import layout_of, rounding, write
from competition.errors import CompError, RefusedError, UnknownNameError
from competition.team.roles import Right

if TYPE_CHECKING:
    from competition.store.submissions import Recorded


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp submit e1 --format rle-csv --sample sample_submission.csv")(submit)


def submit(
    source: Annotated[
        str | None, typer.Argument(metavar="ENSEMBLE|EXPERIMENT", help="What to submit.", show_default=False)
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="png, color-png, rle-csv, labels-csv or coco-json.", show_default="png")
    ] = "png",
    sample: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Sample submission: its columns, ids and order are kept.")
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="HxW", help="labels-csv: of the label maps.", show_default="256x256")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            "--check", metavar="CSV", help="Compare with a sample submission, and decode all that was written."
        ),
    ] = None,
    output_path: Annotated[
        Path | None, typer.Option("--output", metavar="PATH", help="Where to.", show_default="runs/submissions/")
    ] = None,
    kaggle: Annotated[
        str | None,
        typer.Option(metavar="COMPETITION", help="Also hand it in, with the `kaggle` command and your credentials."),
    ] = None,
    advise_finals: Annotated[
        bool, typer.Option("--advise", help="Submit nothing; say which two to choose in the end.")
    ] = False,
    as_member: AsOption = None,
    force: ForceOption = False,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a submission file, and record it.

    Blends the test predictions of every fold model of every member. Masks have the test images' own size. It counts
    towards the team's submissions of today (UTC); the same file again does not.
    """
    from competition.cli.show import output
    from competition.cli.upload import check_upload, upload
    from competition.store import members, submissions
    from competition.submission.formats import Format
    from competition.submission.readback import Readback, check
    from competition.submission.sample import read_sample

    if form not in list(Format):
        raise UnknownNameError.among("format", form, list(Format), hint=f"Formats: {', '.join(Format)}")
    chosen = Format(form)
    opened = open_competition(folder)
    if advise_finals:
        advise.show(opened, as_json=as_json)
        return
    if source is None:
        raise CompError("What is to be submitted?", hint="`comp submit ENSEMBLE` (or an experiment), or --advise.")
    member = members.find(opened.store, acting_member(opened.store, as_member))
    if not opened.settings.data.test_images:
        raise RefusedError("The competition has no test images, so there is nothing to submit.")
    found = find_source(opened, source)
    layout = layout_of(opened, chosen, sample=sample, size=size)
    wanted = read_sample(against) if against else None
    if kaggle is not None:
        check_upload(chosen)
    members.require_right(opened.store, member, Right.SUBMIT, force=force)
    if not force:
        submissions.check_quota(opened.store, opened.settings.submissions_per_day)
    target = output_path or opened.paths.submissions() / f"{source}-{form}{chosen.suffix}"
    readback = Readback(chosen, layout)
    images, doubtful = write(opened, found.name, found.blend, target, readback)
    if wanted is not None:
        check(target, wanted, readback)
        output.say(f"Checked against {against}: columns, ids and order are the same, and every mask decodes.")
    recorded = _record(opened, found, form, target, images, member=member.name, force=force)
    if kaggle is not None:
        upload(opened, recorded, target, kaggle, actor=member.name)
    made = recorded.submission
    if as_json:
        checked = None if against is None else str(against)
        output.print_json(
            {
                **made.to_json(),
                "path": str(target),
                "new": recorded.is_new,
                "checked": checked,
                "doubtful_share": doubtful,
            }
        )
        return
    output.print_lines(str(target))
    output.say(f"{images} test images of {source} as {form}, sha256 {made.sha256[:12]}.{rounding(doubtful)}")
    if recorded.is_new:
        output.say(f"Submission {made.id}. When the board has answered: `comp score {made.id} --public SCORE`.")
    else:
        output.say(f"It is submission {made.id} already ({made.source}, {made.day}): the same file counts once.")


def _record(
    opened: Competition, found: Source, form: str, target: Path, images: int, *, member: str, force: bool
) -> "Recorded":
    from competition.files import sha256_of_tree
    from competition.store import submissions

    draft = submissions.Draft(
        source=found.name,
        format=form,
        path=str(target),
        sha256=sha256_of_tree(target),
        images=images,
        member=member,
        split_version=found.split_version,
        cv=found.cv,
        weights=found.shares,
    )
    return submissions.record(opened.store, draft, per_day=opened.settings.submissions_per_day, force=force)
