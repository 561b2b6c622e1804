"""`comp demo`: a whole competition on drawn images, with the commands that people type."""

import contextlib
import shlex
import shutil
import time
from pathlib import Path
from typing import Annotated

import typer

from competition.errors import CompError


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp demo comp-demo")(demo)


def demo(
    folder: Annotated[Path, typer.Argument(help="A new folder to work in.")] = Path("comp-demo"),
    again: Annotated[bool, typer.Option("--again", help="Replace the demo that is there.")] = False,
) -> None:
    """Play a whole competition on drawn images.

    Five kinds of street litter, three members, a baseline and its experiments: about two minutes on two cores. The
    demo prints each command and runs it. The trainings are real, and nothing is downloaded.
    """
    from competition.cli.app import make_app
    from competition.cli.show import output
    from competition.demo import IMAGES, TEST_IMAGES, make_street_litter, story

    started = time.monotonic()
    _clear(folder, again=again)
    output.say(f"Drawing {IMAGES} images of street litter, and {TEST_IMAGES} test images, in {folder} …")
    make_street_litter(folder, images=IMAGES, test_images=TEST_IMAGES)
    for command in story():
        output.say(f"\n$ comp {command}")
        words = shlex.split(command)
        with contextlib.chdir(folder):
            make_app()(words, standalone_mode=False)
    output.say(f"\nThe demo took {output.duration(time.monotonic() - started)}. Its files are in {folder.resolve()}:")
    output.say("  competition.yaml, baseline.yaml          the settings that the team shares")
    output.say("  runs/experiments/*/fold*/                checkpoints, logs, out-of-fold probabilities")
    output.say("  runs/ensembles/final/                    weights and scores")
    output.say("  runs/submissions/final-labels-csv.csv    the submission")
    output.say(f"Look around: `cd {folder}`, then `comp leaderboard`, `comp status`, `comp report --open`.")


def _clear(folder: Path, *, again: bool) -> None:
    """Remove an earlier demo; a folder with other files is never touched."""
    if not folder.exists():
        return
    if not again:
        raise CompError(f"{folder} exists already.", hint="`comp demo NEW_FOLDER`, or --again to replace that demo.")
    marker = folder / "competition.yaml"
    if any(folder.iterdir()) and not (marker.is_file() and "street-litter" in marker.read_text(encoding="utf-8")):
        raise CompError(
            f"{folder} holds files that are not from the demo, so nothing is deleted.", hint="`comp demo NEW_FOLDER`"
        )
    shutil.rmtree(folder)
