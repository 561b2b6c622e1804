"""Handing a file in to Kaggle, through Kaggle's own `kaggle` command and the user's own credentials."""

import shutil
import subprocess
from pathlib import Path

from competition.data.parallel import StepProgress
from competition.errors import CompError, RefusedError
from competition.store import submissions
from competition.store.engine import Store
from competition.store.submissions import Recorded
from competition.submission.formats import Format

COMMAND = "kaggle"
CREDENTIALS = "It reads your own credentials: ~/.kaggle/kaggle.json, or KAGGLE_USERNAME and KAGGLE_KEY."


def find_command() -> str:
    """The path of the `kaggle` command.

    Raises:
        CompError: it is not installed.
    """
    found = shutil.which(COMMAND)
    if found is None:
        raise CompError(
            f"There is no command `{COMMAND}`, which --kaggle hands files in with.",
            hint=f"`pip install 'competition[kaggle]'`. {CREDENTIALS}",
        )
    return found


def check_upload(form: Format) -> None:
    """Check, before anything is written, that there is a `kaggle` command and that the format is one file.

    Raises:
        CompError: the command is not installed.
        RefusedError: the format is a folder.
    """
    find_command()
    if not form.suffix:
        raise RefusedError(f"Kaggle takes one file, and {form} is a folder.", hint="Choose another --format.")


def upload(file: Path, competition: str, *, message: str) -> str:
    """Hand `file` in to the Kaggle competition of this name (the last part of its address); what Kaggle answered.

    Raises:
        CompError: the command is missing or fails; what it said is in the message.
    """
    arguments = [find_command(), "competitions", "submit", competition, "-f", str(file), "-m", message]
    ran = subprocess.run(arguments, capture_output=True, text=True, errors="replace", check=False)
    answer = (ran.stderr.strip() or ran.stdout.strip()) if ran.returncode else ran.stdout.strip()
    if ran.returncode:
        last = answer.splitlines()[-1] if answer else f"exit code {ran.returncode}"
        raise CompError(f"`kaggle competitions submit {competition}` failed: {last}", hint=CREDENTIALS)
    return answer


def hand_in(
    store: Store, recorded: Recorded, file: Path, competition: str, *, actor: str, progress: StepProgress | None
) -> str:
    """Hand the file in to Kaggle, and record it.

    Raises:
        RefusedError: this file is there already.
        CompError: it did not get there; the record of a new submission is removed, so that it does not count.
    """
    submission = recorded.submission
    if submission.uploaded_to == competition:
        raise RefusedError(
            f"Submission {submission.id} is on Kaggle already ({competition}), and this is the same file."
        )
    if progress is not None:
        progress(f"Handing in to {competition}", 0, 1)
    try:
        answer = upload(
            file, competition, message=f"comp {submission.id}: {submission.source} {submission.sha256[:12]}"
        )
    except CompError as error:
        if recorded.is_new:
            submissions.withdraw(store, submission, actor=actor, why=error.message)
        raise
    submissions.set_uploaded(store, submission, competition, actor=actor)
    return answer
