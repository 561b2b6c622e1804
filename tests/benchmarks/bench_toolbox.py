"""What single conditions do on CamVid: `python -m tests.benchmarks.bench_toolbox [FOLDER]`.

Makes a competition in FOLDER (a temporary one by default), trains a baseline with several seeds and one experiment for
each condition below, and prints the leaderboard as a table. Small images and few epochs: a check that each tool works,
and an example of how to compare them, no advice on which to use. With the same FOLDER it goes on where it was stopped.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.data.shared import CAMVID, shared_data

SIZE, EPOCHS, FOLDS, SEEDS = "96x128", 4, 3, 5
CONDITIONS = (
    "loss.lovasz=1",
    "mix.mixup=0.5",
    "mix.cutmix=0.5",
    "augment.cutout=0.5",
    "augment.gridmask=0.5",
    "augment.policy=randaugment",
    "train.average=ema",
    "predict.tta=hflip",
)
OTHER_ENCODER = ("model.encoder=tu-mobilenetv3_large_100", "model.weights=none")
"""Another encoder has no weights in the offline package, so that two keys change and comp calls it confounded."""


def main() -> None:
    if len(sys.argv) > 1:
        run(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder))


def run(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "competition.yaml").exists():
        set_up(folder)
    comp(folder, "run", "--seeds", str(SEEDS))
    for condition in CONDITIONS:
        comp(folder, "run", "--set", condition)
    both = [part for key in OTHER_ENCODER for part in ("--set", key)]
    comp(folder, "run", "encoder", *both, "--together", "the other encoder has no offline weights")
    print(table(json.loads(comp(folder, "leaderboard", "--json"))))


def set_up(folder: Path) -> None:
    data = shared_data()
    if data is None:
        raise SystemExit("The CamVid images are not here; name the folder of data sets in COMP_SHARED_DATA.")
    camvid = CAMVID.within(data).folder
    settings = (
        f"--images={camvid / 'images'}",
        f"--masks={camvid / 'masks'}",
        f"--classes={camvid / 'classes.txt'}",
        "--void=11",
        f"--meta={camvid / 'meta.csv'}",
        "--group-column=block",
        f"--size={SIZE}",
        "--set=model.encoder=tu-tf_efficientnet_lite0",
        "--set=model.weights=offline",
        f"--set=train.epochs={EPOCHS}",
    )
    comp(folder, "init", *settings)
    comp(folder, "assign", "benchmark", "lead", "training")
    comp(folder, "split", "--scheme", "stratified-group", "--folds", str(FOLDS))


def comp(folder: Path, command: str, *arguments: str) -> str:
    """`comp …` in the folder; its stdout. What it says goes to the terminal."""
    who = ("--as", "benchmark") if command == "run" else ()
    line = [sys.executable, "-m", "competition", command, *arguments, *who]
    return subprocess.run(line, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def table(rows: list[dict[str, Any]]) -> str:
    lines = ["| | condition | CV mIoU, % | delta | 95 % interval | verdict | training, s |", f"|{'---|' * 7}"]
    for row in (row for row in rows if row["rank"]):
        condition = ", ".join(row["conditions"]) or "(baseline)"
        delta = "" if row["delta"] is None else f"{100 * row['delta']:+.2f}"
        verdict = row["verdict"] or {"call": "", "low": None, "same_models": False, "borrowed": False}
        call = f"{verdict['call']} {'=' if verdict['same_models'] else '~' if verdict['borrowed'] else ''}".strip()
        interval = "" if verdict["low"] is None else f"{100 * verdict['low']:+.1f} to {100 * verdict['high']:+.1f}"
        score, seconds = f"{100 * row['score']:.2f}", f"{row['device_seconds']:.0f}"
        lines.append(f"| {row['rank']} | {condition} | {score} | {delta} | {interval} | {call} | {seconds} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
