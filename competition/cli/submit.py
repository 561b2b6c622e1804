"""`comp submit`: write a submission in the format that the competition wants, and record it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import open_competition
from competition.cli.options import AsOption, DirOption, ForceOption, JsonOption, acting_member
from competition.errors import CompError

if TYPE_CHECKING:
    from competition.submission.make import MadeSubmission, SubmissionRequest


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
    from competition.cli.show.submissions import show_final_two
    from competition.submission.make import SubmissionRequest

    opened = open_competition(folder)
    if advise_finals:
        show_final_two(opened, as_json=as_json)
        return
    if source is None:
        raise CompError("What is to be submitted?", hint="`comp submit ENSEMBLE` (or an experiment), or --advise.")
    request = SubmissionRequest(
        source=source,
        member=acting_member(opened.store, as_member),
        form=form,
        sample=sample,
        size=None if size is None else _parse_size(size),
        check=against,
        target=output_path,
        kaggle=kaggle,
        force=force,
    )
    with output.step_bars() as progress:
        made = opened.submit(request, progress=progress)
    if as_json:
        output.print_json(made.to_json())
    else:
        output.print_lines(str(made.target))
    _say(made, request)


def _say(made: "MadeSubmission", request: "SubmissionRequest") -> None:
    """Say what was written, checked, recorded and handed in."""
    from competition.cli.show import output

    predictions, submission = made.predictions, made.submission
    if predictions.taken_over:
        output.say(predictions.taken_over_note)
    if made.checked is not None:
        output.say(f"Checked against {made.checked}: columns, ids and order are the same, and every mask decodes.")
    if made.kaggle_answer is not None:
        output.say(f"Handed in to {request.kaggle}. {made.kaggle_answer}")
    output.say(
        f"{predictions.images} test images of {request.source} as {request.form}, sha256 {submission.sha256[:12]}."
    )
    if made.is_new:
        output.say(
            f"Submission {submission.id}. When the board has answered: `comp score {submission.id} --public SCORE`."
        )
    else:
        output.say(
            f"It is submission {submission.id} already ({submission.source}, {submission.day}): the same file counts "
            "once."
        )


def _parse_size(text: str) -> tuple[int, int]:
    height, cross, width = text.lower().partition("x")
    if not (cross and height.isdecimal() and width.isdecimal() and int(height) and int(width)):
        raise CompError(f"--size {text!r} is no size such as 256x256 (height x width).")
    return int(height), int(width)
