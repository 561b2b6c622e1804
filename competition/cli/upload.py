"""`comp submit --kaggle`: hand a recorded submission in."""

from pathlib import Path
from typing import TYPE_CHECKING

from competition.api import Competition
from competition.errors import CompError, RefusedError

if TYPE_CHECKING:
    from competition.store.submissions import Recorded
    from competition.submission.formats import Format


def check_upload(form: "Format") -> None:
    """Before anything is written: is there a `kaggle` command, and is the format one file?"""
    from competition.submission.kaggle import find_command

    find_command()
    if not form.suffix:
        raise RefusedError(f"Kaggle takes one file, and {form} is a folder.", hint="Choose another --format.")


def upload(opened: Competition, recorded: "Recorded", file: Path, competition: str, *, actor: str) -> None:
    """Hand the file in; a new submission that did not get there is withdrawn, and counts no more."""
    from competition.cli.show import output
    from competition.store import submissions
    from competition.submission import kaggle

    made = recorded.submission
    if made.uploaded_to == competition:
        raise RefusedError(f"Submission {made.id} is on Kaggle already ({competition}), and this is the same file.")
    output.say(f"Handing in to {competition} …")
    try:
        answer = kaggle.upload(file, competition, message=f"comp {made.id}: {made.source} {made.sha256[:12]}")
    except CompError as error:
        if recorded.is_new:
            submissions.withdraw(opened.store, made, actor=actor, why=error.message)
        raise
    submissions.set_uploaded(opened.store, made, competition, actor=actor)
    if answer:
        output.say(answer)
