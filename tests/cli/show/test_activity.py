"""The live board: as text of 80 columns, and on a real terminal."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console
from sqlalchemy import update

from competition.api import open_competition
from competition.cli.show.activity import activity
from competition.cli.show.live import REDRAW_S, board
from competition.config.experiment import read_config, with_overrides
from competition.jobspec import Progress
from competition.queue.devices import CPU, choose
from competition.queue.processes import identify, this_process
from competition.store import schema
from competition.store.engine import Store
from competition.store.queue import attempts, pauses
from competition.store.queue.pauses import Scope
from tests.conftest import Comp, submitted
from tests.queue.test_devices import fake_nvml
from tests.store.making import WORKER, result

PROGRESS = Progress(3, 20, 5, 40, 0.534, 0.4312, 9.0, 4310.0)


@pytest.fixture
def queued(ready: Path) -> Store:
    """Twelve experiments that wait, one of them with a long name."""
    opened = open_competition(None)
    base = read_config(opened.paths.baseline)
    for number in range(12):
        name = "a-very-long-name-of-a-condition-efficientnet-b7" if number == 1 else f"lr-0.00{number}"
        submitted(opened.store, with_overrides(base, [f"seed={number}"]), name=name)
    return opened.store


def claim(store: Store, device: str, *, worker: attempts.Process | None = None, slot: int = 0) -> str:
    taken = attempts.claim(store, worker or this_process(), device=device, slot=slot)
    assert taken is not None
    return taken.token


def drawn(*devices: object, height: int = 24) -> list[str]:
    console = Console(width=80, height=height, force_terminal=False)
    with console.capture() as captured:
        console.print(activity(open_competition(None), devices or [CPU], height=height))  # type: ignore[arg-type]
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= 80
    return lines


def test_a_device_shows_its_job_and_how_far_it_is(queued: Store) -> None:
    token = claim(queued, "cpu")
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    attempts.child_started(queued, token, identify(child.pid))
    attempts.heartbeat(queued, token, PROGRESS)
    header, row = drawn()[:2]
    child.communicate()
    assert header.split() == ["device", "experiment", "job", "member", "epoch", "score", "memory", "ETA"]
    assert row.split()[:6] == ["cpu", "lr-0.000", "debug", "ann", "3/20", "43.12"]
    assert row.split()[6:] == ["0.0G", "1h11m"]


def test_the_queue_in_its_order_and_the_last_events_stand_below_and_all_fits(queued: Store) -> None:
    claim(queued, "cpu")
    claim(queued, "cpu", slot=1)
    lines = drawn(height=24)
    assert len(lines) <= 24
    assert [line.split()[0] for line in lines if line.startswith("cpu ")] == ["cpu", "cpu"]
    waiting = [row for row in map(str.split, lines) if row[1:4] == ["debug", "ann", "queued"]]
    assert [row[0] for row in waiting] == [f"lr-0.00{n}" for n in range(2, 2 + len(waiting))]
    assert any("… and" in line and "more." in line for line in lines)
    assert "queued -> running" in lines[-1]
    assert len(drawn(height=10)) > 10, "a low screen still shows three of the queue"


def test_gpus_show_what_anybody_has_taken_of_them_and_idle_ones_stand_there_too(
    queued: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = fake_nvml(2)
    used = {"GPU-0000": 11 * 2**30, "GPU-0001": 2**29}
    driver.nvmlDeviceGetHandleByUUID = lambda uuid: uuid  # type: ignore[attr-defined]
    driver.nvmlDeviceGetMemoryInfo = lambda uuid: SimpleNamespace(used=used[uuid], total=24 * 2**30)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pynvml", driver)
    claim(queued, "GPU-0000")
    lines = drawn(*choose(None))
    assert lines[1].split() == ["gpu", "0", "lr-0.000", "debug", "ann", "starts", "-", "11.0/24G", "-"]
    assert lines[2].split() == ["gpu", "1", "idle", "0.5/24G"]


def test_what_hangs_what_is_ending_and_what_runs_elsewhere(queued: Store) -> None:
    first = claim(queued, "cpu")
    with queued.write() as tx:
        tx.execute(update(schema.attempts).values(heartbeat_at=time.time() - 1000))
    claim(queued, "GPU-abcdef", worker=replace(WORKER, host="box"))
    lines = drawn()
    assert "suspect" in lines[1]
    assert lines[2].startswith("box:GPU-abcdef")
    with queued.write() as tx:
        done = {"ended_at": time.time(), "outcome": "cancelled"}
        tx.execute(update(schema.attempts).where(schema.attempts.c.token == first).values(**done))
    assert drawn()[1].split() == ["cpu", "lr-0.000", "debug", "ends"]


def test_pauses_and_an_empty_queue_are_said(ready: Path) -> None:
    opened = open_competition(None)
    pauses.add(opened.store, Scope.QUEUE, None, "queue", actor="ann")
    text = "\n".join(drawn())
    assert "ann has paused the queue." in text
    assert "Nothing waits." in text


def test_without_a_terminal_a_worker_says_how_each_job_goes_on(
    queued: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    with board(open_competition(None), [CPU]) as lines:
        lines.refresh()
        token = claim(queued, "cpu")
        attempts.heartbeat(queued, token, PROGRESS)
        time.sleep(REDRAW_S)
        lines.refresh()
        attempts.succeed(queued, result(token))
    said = capsys.readouterr().err.splitlines()
    going = "epoch 3/20, loss 0.534, score 43.12, lr -, 9.0 images/s, ETA 1h11m"
    assert said == [f"lr-0.000 debug: {going}", "lr-0.000 debug: succeeded"]


def test_watching_takes_a_terminal(comp: Comp, ready: Path) -> None:
    assert "`comp status` prints it once" in comp.error("status", "--watch")
    assert "do not go together" in comp.error("status", "--watch", "--json")


class Terminal:
    """A command on a terminal of 80 by 24."""

    def __init__(self, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        environment = os.environ | {"COLUMNS": "80", "LINES": "24", "TERM": "xterm"}
        command = [sys.executable, "-m", "competition", *arguments]
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
        os.close(theirs)
        self.text = ""

    def wait_for(self, what: str, timeout_s: float = 30.0) -> None:
        deadline = time.monotonic() + timeout_s
        while what not in self.text:
            assert time.monotonic() < deadline, self.text
            if select.select([self._ours], [], [], 0.1)[0]:
                with suppress(OSError):
                    self.text += os.read(self._ours, 65536).decode(errors="replace")

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(30)
        os.close(self._ours)
        return code


@pytest.mark.parametrize("command", [("status", "--watch"), ("worker", "--devices", "cpu")])
def test_on_a_terminal_it_is_drawn_anew_until_ctrl_c(queued: Store, command: tuple[str, ...]) -> None:
    pauses.add(queued, Scope.QUEUE, None, "queue", actor="ann")
    terminal = Terminal(*command)
    terminal.wait_for("ann has paused the queue.")
    terminal.wait_for("idle")
    assert terminal.end() == 0
