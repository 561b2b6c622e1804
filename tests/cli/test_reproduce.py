import json
import sqlite3
import time
from pathlib import Path

import pytest

from competition.queue.processes import this_process
from tests.conftest import Comp

pytestmark = pytest.mark.slow
FOLDER = Path("runs/reproductions/b1/fold1")


def test_a_fold_is_trained_again_and_compared(comp: Comp, ready: Path) -> None:
    comp.ok("run", "--as", "ann", "--folds", "1")
    again = json.loads(comp.ok("reproduce", "b1", "--fold", "1", "--json"))
    assert (again["sameness"], again["files"], again["differences"]) == ("identical", [], [])
    assert again["score"] == again["recorded_score"]
    assert not FOLDER.exists()

    record = Path("runs/experiments/b1/fold1/record.json")
    recorded = json.loads(record.read_text())
    assert recorded["config"]["loss.dice"] == 1.0
    assert recorded["packages"]["torch"]
    record.write_text(json.dumps({**recorded, "device": "another"}))
    with sqlite3.connect("runs/comp.db") as raw:
        raw.execute("UPDATE artifacts SET sha256 = 'other' WHERE name = 'model.safetensors'")
    near = comp.ok("reproduce", "b1", "--fold", "1")
    assert "b1, fold 1: within tolerance" in near
    assert "differing files: model.safetensors" in near
    assert "another" in near
    with sqlite3.connect("runs/comp.db") as raw:
        raw.execute("UPDATE jobs SET score = score - 0.2 WHERE kind = 'fold'")
    different = comp("reproduce", "b1", "--fold", "1", "--json")
    assert different.code == 1
    assert [d["key"] for d in json.loads(different.out)["differences"]] == ["device"]
    assert f"This run's files are in {FOLDER}" in different.err
    assert (FOLDER / "model.safetensors").is_file()
    assert json.loads(comp.ok("reproduce", "b1", "--fold", "1", "--tolerance", "0.3", "--json"))["score"]


def test_what_cannot_be_reproduced_is_explained(comp: Comp, ready: Path) -> None:
    comp.ok("run", "--as", "ann", "--detach")
    assert "Fold 0 of b1 is waiting, so there is nothing to compare" in comp.error("reproduce", "b1")
    assert "b1 has no fold 7." in comp.error("reproduce", "b1", "--fold", "7")
    assert "There is no experiment 'b2'" in comp.error("reproduce", "b2")
    me = this_process()
    with sqlite3.connect("runs/comp.db") as raw:
        raw.execute("UPDATE jobs SET state = 'succeeded', score = 0.5 WHERE kind = 'fold'")
        raw.execute("UPDATE jobs SET state = 'running' WHERE kind = 'debug'")
        raw.execute(
            "INSERT INTO attempts (job_id, token, host, boot_id, worker_pid, worker_started_at, device, slot,"
            " started_at, heartbeat_at) VALUES (1, 't', ?, ?, ?, ?, 'cpu', 0, ?, ?)",
            (me.host, me.boot_id, me.pid, me.started_at, time.time(), time.time()),
        )
    assert "b1, debug, runs on cpu now" in comp.error("reproduce", "b1", "--devices", "cpu")
