"""What a team hears, from a real hook, of jobs that real workers run (and nobody trains)."""

import json
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from competition.api import open_competition
from competition.cli.show.working import shown
from competition.experiments.request import RunRequest, submit
from competition.jobspec import Failed, JobSpec
from competition.lifecycle import FailureKind, JobState
from competition.notify import messenger
from competition.notify.notices import notices
from competition.paths import Paths
from competition.queue.worker import BrokenMachineError, Worker
from competition.store import events
from competition.store.engine import open_store
from competition.store.queue import jobs
from tests.cli.conftest import blurred, play
from tests.conftest import Comp
from tests.queue.making import QuickForkServer, crash, device
from tests.report.planting import SETTINGS


def say_in_settings(line: str) -> None:
    path = Path("competition.yaml")
    path.write_text(f"{path.read_text()}{line}\n")


def hooked(text: str = "cat >> got.jsonl") -> None:
    """Name a script in competition.yaml."""
    Path("hook.sh").write_text(f"#!/bin/sh\n{text}\n")
    Path("hook.sh").chmod(0o755)
    say_in_settings("notify: ./hook.sh")


def heard() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("got.jsonl").read_text().splitlines()]


def ask_for(name: str, *assignments: str) -> None:
    """Queue an experiment."""
    opened = open_competition(None)
    request = RunRequest(member="ann", name=name, assignments=assignments)
    submit(opened.store, opened.settings, request, check_model=lambda _: None)


def refuse(spec: JobSpec, connection: Connection) -> None:
    """A job whose configuration is wrong."""
    connection.send(Failed(spec.token, FailureKind.USER, 'optimizer.lr is `too high`; "$(touch hacked)"'))


def finish(root: Path, name: str, wrong: float, **request: object) -> None:
    """Have an experiment run to its end and tell the team, as a worker does."""
    opened = open_competition(None)
    with notices(opened.store, opened.settings, say=print) as told:
        assert told is not None
        told.completed(play(root, blurred(wrong), name=name, **request))


def test_finished_and_new_best_with_score_gain_and_verdict(comp: Comp, ready: Path) -> None:
    hooked()
    finish(ready, "b1", 0.3)
    finish(ready, "better", 0.1, assignments=("loss.dice=0.5",))
    finish(ready, "worse", 0.5, assignments=("loss.dice=0.25",))
    first, best, worse = heard()
    assert [m["event"] for m in (first, best, worse)] == ["best", "best", "finished"]
    board = {row["name"]: row for row in json.loads(comp.ok("leaderboard", "--json"))}
    score, gain = board["better"]["score"], board["better"]["delta"]
    assert (best["experiment"], best["member"], best["score"], best["delta"]) == ("better", "ann", score, gain)
    assert best["verdict"]["call"] == board["better"]["verdict"]["call"]
    assert (
        f"the new best is better by ann: {100 * score:.2f}, {100 * gain:+.2f} against b1 (needs-seeds" in best["text"]
    )
    assert f"Before it: b1, {100 * board['b1']['score']:.2f}." in best["text"]
    assert "worse by ann is complete" in worse["text"]
    assert "rank 3 of 3" in worse["text"]
    assert worse["conditions"] == ["loss.dice: 1.0 -> 0.25"]


def test_the_leader_with_more_seeds_is_no_new_best(ready: Path) -> None:
    hooked()
    finish(ready, "b1", 0.3)
    opened = open_competition(None)
    with notices(opened.store, opened.settings, say=print) as told:
        assert told is not None
        told.completed("b1")
    assert [m["event"] for m in heard()] == ["best", "finished"]


def test_a_job_that_fails_for_good_is_told_with_its_class_and_reason(ready: Path) -> None:
    hooked()
    ask_for("b1")
    opened = open_competition(None)
    worker = Worker(opened.store, opened.settings, [device()], QuickForkServer(refuse), "b1")
    with shown(opened, worker):
        assert worker.work(until_empty=True)
    told = heard()
    assert len(told) == 1, "the folds that were cancelled for it are no news"
    assert (told[0]["event"], told[0]["job"], told[0]["failure"]) == ("failed", "debug", "user error")
    assert "debug of b1 by ann has failed (user error): optimizer.lr is `too high`" in told[0]["text"]
    assert not Path("hacked").exists()


def test_a_failure_that_is_tried_again_is_no_news_but_a_worker_that_stops_itself_is(ready: Path) -> None:
    hooked()
    for number in range(3):
        ask_for(f"e{number}", f"seed={number}")
    opened = open_competition(None)
    worker = Worker(opened.store, opened.settings, [device()], QuickForkServer(crash))
    with pytest.raises(BrokenMachineError), shown(opened, worker):
        worker.work(until_empty=True)
    assert [m["event"] for m in heard()] == ["stopped"]
    assert "3 different jobs failed in a row" in heard()[0]["reason"]


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("./nowhere.sh", "cannot be started"),
        ("sleep 60", "took longer than"),
        ("http://127.0.0.1:9/x", "refused"),
        ("json://127.0.0.1:9/x", "JSON did not take it"),
        ("nosuchservice://x", "apprise cannot read the nosuchservice:// URL"),
    ],
)
def test_a_broken_hook_changes_nothing_and_is_said_once(
    ready: Path, target: str, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(messenger, "TIMEOUT_S", 0.3)
    ask_for("b1")
    say_in_settings(f"notify: {target}")
    opened = open_competition(None)
    started = time.monotonic()
    worker = Worker(opened.store, opened.settings, [device()], QuickForkServer(refuse), "b1")
    with shown(opened, worker):
        assert worker.work(until_empty=True)
        for job in jobs.of_experiment(opened.store, "b1"):
            worker.on_failed(job)
    assert time.monotonic() - started < 5
    states = [job.state for job in jobs.of_experiment(opened.store, "b1")]
    assert states == [JobState.FAILED, JobState.CANCELLED, JobState.CANCELLED]
    trouble = [e for e in events.history(opened.store) if e.action == "hook failed"]
    assert len(trouble) == 1
    assert says in (trouble[0].why or "")
    assert capsys.readouterr().err.count("The queue goes on.") == 1


def test_without_somebody_to_notify_nothing_is_said(ready: Path) -> None:
    opened = open_competition(None)
    with notices(opened.store, opened.settings, say=print) as told:
        assert told is None


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("notfy: ./x.sh", "notfy: no such key. Did you mean 'notify'?"),
        ("notify: ''", "it is empty"),
        ("notify: https:///x", "names a host"),
        ("notify: 'https://example.org/a b'", "holds no space"),
        ("notify: ./x.sh 'half", "no closing quotation"),
        ("notify: [a, b]", "notify: the value is wrong"),
    ],
)
def test_a_wrong_setting_is_one_message(comp: Comp, ready: Path, line: str, says: str) -> None:
    say_in_settings(line)
    assert says in comp.error("status")


def test_a_wrong_setting_is_not_repeated_as_it_may_hold_a_token(comp: Comp, ready: Path) -> None:
    say_in_settings("notify: https:///T0/B0/secret")
    said = comp.error("status")
    assert "notify: the value is wrong" in said
    assert "secret" not in said
    assert "secret" not in repr(SETTINGS.model_copy(update={"notify": "slack://secret"}))


def test_it_may_change_once_experiments_exist(ready: Path) -> None:
    ask_for("b1")
    say_in_settings("notify: ./x.sh --room ml")
    ask_for("e1", "loss.dice=0.5")
    store = open_store(Paths(ready))
    assert jobs.count(store, [JobState.QUEUED]) == 2
    store.close()
