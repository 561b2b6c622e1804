"""The main job with real training on tiny images: nothing here is mocked."""

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from tests.conftest import Comp

pytestmark = pytest.mark.slow


def background(*arguments: str) -> subprocess.Popen[str]:
    """`comp …` as a process of its own, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "competition", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def states() -> dict[str, str]:
    with sqlite3.connect("runs/comp.db") as raw:
        rows = raw.execute("SELECT kind || fold, state FROM jobs ORDER BY id").fetchall()
    return dict(rows)


def wait_for(condition: object, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, states()
        time.sleep(0.05)


def some_fold_trains() -> bool:
    return any(p.stat().st_size for p in Path("runs/experiments").glob("*/fold0/checkpoint.pt"))


def test_the_main_job_from_the_baseline_to_the_submission(comp: Comp, ready: Path) -> None:
    comp.ok("assign", "bob", "ensemble")
    baseline = json.loads(comp.ok("run", "--as", "ann", "--json"))
    assert (baseline["rank"], baseline["state"], baseline["conditions"]) == (1, "complete", [])
    assert len(baseline["fold_scores"]) == 2
    second = json.loads(comp.ok("run", "--as", "ann", "--set", "loss.dice=0.5", "--note", "less", "--json"))
    assert second["conditions"] == ["loss.dice: 1.0 -> 0.5"]
    assert second["parent"] == "b1"
    assert second["delta"] == pytest.approx(second["score"] - baseline["score"])

    for picture in ("curves.png", "gallery.png"):
        assert np.asarray(Image.open(Path("runs/experiments/b1", picture))).shape[1] > 100

    board = json.loads(comp.ok("leaderboard", "--json"))
    assert sorted(row["rank"] for row in board) == [1, 2]
    assert max(map(len, comp.ok("leaderboard").splitlines())) <= 80
    assert "loss.dice" in comp.ok("compare", "b1", "dice-0.5")

    again = comp("run", "--as", "ann", "--set", "loss.dice=0.5")
    assert again.code == 0
    assert "is experiment dice-0.5 already" in again.err

    check_predicting_another_way(comp)
    made = json.loads(comp.ok("ensemble", "--name", "both", "--method", "weighted", "--json"))
    assert made["test_images"] == 2
    assert set(made["weights"]) == {"b1", "dice-0.5", "tta-hflip"}
    assert sum(made["weights"].values()) == pytest.approx(1)
    masks = sorted(Path("runs/ensembles/both/submission").glob("*.png"))
    assert [m.stem for m in masks] == ["g0_0", "g0_1"]
    assert np.asarray(Image.open(masks[0])).shape == (32, 32)

    check_training_on_pseudo_labels(comp)
    target = comp.ok("submit", "both", "--format", "labels-csv", "--as", "bob").strip()
    with Path(target).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    assert len(rows[0]["PredictionString"].split()) == 256 * 256
    assert "comp score 1 --public" in " ".join(comp.ok("status").split())
    check_what_is_refused_after_results(comp)


def check_predicting_another_way(comp: Comp) -> None:
    row = json.loads(comp.ok("predict", "dice-0.5", "--set", "tta=hflip", "--as", "ann", "--json"))
    assert (row["name"], row["parent"], row["state"]) == ("tta-hflip", "dice-0.5", "complete")
    assert row["conditions"] == ["predict.tta: none -> hflip"]
    log = comp.ok("logs", "tta-hflip", "--fold", "1")
    assert "Using the weights in runs/experiments/dice-0.5/fold1/model.safetensors" in log
    assert "epoch 1" not in log
    assert "Set tta, scales, window or overlap" in comp.error("predict", "dice-0.5", "--as", "ann")
    assert "'flips' or 'd4'" in comp.error("predict", "dice-0.5", "--set", "tta=d3", "--as", "ann")
    several = comp.error("predict", "dice-0.5", "--set", "tta=d4", "--set", "scales=[1,1.5]", "--as", "ann")
    assert "2 conditions at once" in several


def check_training_on_pseudo_labels(comp: Comp) -> None:
    pinned = json.loads(comp.ok("pseudo", "both", "--threshold", "0.35", "--json"))["pinned"]
    row = json.loads(comp.ok("run", "more", "--as", "ann", "--set", "data.pseudo=p1", "--json"))
    assert (row["state"], row["conditions"]) == ("complete", [f"data.pseudo: none -> {pinned}"])
    assert "(2 with pseudo-labels)" in comp.ok("logs", "more", "--fold", "0")
    assert "epoch 2/2: loss" in comp.ok("logs", "more", "--fold", "0")


def check_what_is_refused_after_results(comp: Comp) -> None:
    assert "--force starts split v2" in comp.error("split", "--scheme", "group", "--folds", "3")
    assert "bob may not promote" in comp.error("baseline", "promote", "dice-0.5", "--as", "bob")
    comp.ok("baseline", "promote", "dice-0.5", "--as", "ann")
    assert json.loads(comp.ok("baseline", "show", "--json"))["config"]["loss"]["dice"] == 0.5
    settings = Path("competition.yaml")
    before = settings.read_text()
    settings.write_text(before.replace("metric: miou", "metric: dice"))
    assert "metric: miou -> dice" in comp.error("run", "--as", "ann", "--set", "seed=1")
    settings.write_text(before)
    baseline = Path("baseline.yaml")
    baseline.write_text(baseline.read_text().replace("seed: 42", "seed: 1"))
    message = comp.error("run", "--as", "ann", "--set", "loss.dice=0.25")
    assert "seed: 42 -> 1" in message
    assert "comp baseline show --yaml" in message


def test_a_debug_run_never_ranks_and_the_folds_follow_later(comp: Comp, ready: Path) -> None:
    debug = json.loads(comp.ok("run", "--as", "ann", "--debug", "--json"))
    assert (debug["rank"], debug["score"], debug["state"]) == (None, None, "debug")
    partial = json.loads(comp.ok("run", "b1", "--as", "ann", "--folds", "1", "--json"))
    assert (partial["rank"], partial["state"], partial["reason"]) == (None, "partial", "1 of 2 folds done")
    assert "is not complete" in comp.error("ensemble", "b1")
    complete = json.loads(comp.ok("run", "b1", "--as", "ann", "--json"))
    assert complete["rank"] == 1


def test_a_failed_gate_stops_the_folds_and_says_why(comp: Comp, ready: Path) -> None:
    ran = comp("run", "--as", "ann", "--set", "optimizer.lr=1e6")
    assert ran.code == 1
    assert "failed" in ran.err
    assert "comp logs" in ran.err
    assert states() == {"debug0": "failed", "fold0": "cancelled", "fold1": "cancelled"}
    row = json.loads(comp.ok("leaderboard", "--json"))[0]
    assert row["rank"] is None
    assert row["reason"]
    assert comp.ok("logs", row["name"])
    comp.ok("retry", row["name"])
    assert states() == {"debug0": "queued", "fold0": "waiting", "fold1": "waiting"}
    comp.ok("cancel", row["name"])
    assert set(states().values()) == {"cancelled"}


def test_ctrl_c_leaves_a_state_that_the_same_command_finishes(comp: Comp, ready: Path) -> None:
    started = background("run", "long", "--as", "ann", "--set", "train.epochs=12")
    wait_for(some_fold_trains)
    started.send_signal(signal.SIGINT)
    _, err = started.communicate(timeout=60)
    assert started.returncode == 130, err
    assert "`comp run long` continues it" in err
    assert "running" not in states().values()
    assert states()["fold0"] == "queued"
    row = json.loads(comp.ok("run", "long", "--as", "ann", "--json"))
    assert row["state"] == "complete"
    assert "Resuming at epoch" in comp.ok("logs", "long", "--fold", "0")


def test_a_killed_worker_is_noticed_and_its_job_done_once(comp: Comp, ready: Path) -> None:
    comp.ok("run", "--as", "ann", "--set", "train.epochs=12", "--detach")
    started = background("worker", "--devices", "cpu")
    wait_for(some_fold_trains)
    with sqlite3.connect("runs/comp.db") as raw:
        child = raw.execute("SELECT child_pid FROM attempts WHERE ended_at IS NULL").fetchone()[0]
    started.kill()
    started.communicate()
    assert "queued" in comp.ok("queue")
    assert "running" not in states().values()
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
    comp.ok("worker", "--until-empty", "--devices", "cpu")
    assert set(states().values()) == {"succeeded"}
    with sqlite3.connect("runs/comp.db") as raw:
        per_job = raw.execute("SELECT count(*) FROM attempts WHERE outcome = 'succeeded' GROUP BY job_id").fetchall()
    assert per_job == [(1,), (1,), (1,)]


NET = """
import segmentation_models_pytorch as smp
from ours.parts import WHO

def build(classes):
    print("built by", WHO)
    return smp.Unet("tu-mobilenetv3_small_050", encoder_weights=None, classes=classes)
"""


def test_a_job_runs_the_teams_code_as_it_was_submitted(comp: Comp, ready: Path) -> None:
    """An edit after the submission, of the named module and of what it imports, changes nothing of the job."""
    Path("ours").mkdir()
    Path("ours/net.py").write_text(NET)
    Path("ours/parts.py").write_text("WHO = 'the first'\n")
    comp.ok("run", "own", "--as", "ann", "--set", "model.target=ours.net:build", "--folds", "0", "--detach")
    Path("ours/net.py").write_text(NET.replace("built by", "rebuilt by"))
    Path("ours/parts.py").write_text("WHO = 'the second'\n")
    comp.ok("worker", "--until-empty", "--devices", "cpu")
    assert states() == {"debug0": "succeeded", "fold0": "succeeded"}
    for fold in ((), ("--fold", "0")):
        log = comp.ok("logs", "own", *fold)
        assert "built by the first" in log
        assert "second" not in log
        assert "rebuilt" not in log
    comp.ok("run", "edited", "--as", "ann", "--set", "model.target=ours.net:build", "--debug")
    assert "rebuilt by the second" in comp.ok("logs", "edited")


def child_other_than(known: set[int]) -> int | None:
    """The process of a job that runs now, if it is none of those known."""
    with sqlite3.connect("runs/comp.db") as raw:
        found = raw.execute("SELECT child_pid FROM attempts WHERE ended_at IS NULL").fetchone()
    return found[0] if found is not None and found[0] not in {None, *known} else None


def test_a_child_that_crashes_fails_its_job_in_the_end_and_cancelling_stops_another(comp: Comp, ready: Path) -> None:
    comp.ok("run", "doomed", "--as", "ann", "--set", "train.epochs=100000", "--folds", "0", "--detach")
    started = background("worker", "--devices", "cpu")
    wait_for(lambda: Path("runs/experiments/doomed/fold0/checkpoint.pt").is_file())
    killed: set[int] = set()
    for _ in range(3):
        wait_for(lambda: child_other_than(killed))
        child = child_other_than(killed)
        assert child is not None
        os.kill(child, signal.SIGSEGV)
        killed.add(child)
    wait_for(lambda: states()["fold0"] == "failed")
    assert "its process crashed with SIGSEGV" in comp.ok("queue", "doomed", "--why")
    comp.ok("run", "endless", "--as", "ann", "--set", "train.epochs=99999", "--folds", "0", "--detach")
    wait_for(lambda: Path("runs/experiments/endless/fold0/checkpoint.pt").is_file())
    comp.ok("cancel", "endless")
    wait_for(lambda: child_other_than(killed) is None)
    started.send_signal(signal.SIGINT)
    _, err = started.communicate(timeout=60)
    assert started.returncode == 0, err
    rows = {row["name"]: row for row in json.loads(comp.ok("leaderboard", "--json"))}
    assert (rows["doomed"]["state"], rows["endless"]["state"]) == ("failed", "cancelled")
    assert "SIGSEGV" in rows["doomed"]["reason"]
