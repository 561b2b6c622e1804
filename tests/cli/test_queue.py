"""The queue's commands, on experiments that nobody trains."""

import json
import sqlite3
from pathlib import Path

import pytest

from competition.config.experiment import Config
from competition.lifecycle import FailureKind
from competition.paths import Paths
from competition.queue.processes import this_process
from competition.store.engine import Store, open_store
from competition.store.queue import attempts, pauses
from tests.conftest import Comp, submitted
from tests.store.making import config, result


@pytest.fixture
def queued(comp: Comp, ready: Path) -> Store:
    """Two experiments that wait."""
    store = open_store(Paths(ready))
    submitted(store, Config(), name="first")
    submitted(store, config(1), name="second")
    return store


def test_the_queue_shows_turns_and_fits_80_columns(comp: Comp, queued: Store) -> None:
    rows = json.loads(comp.ok("queue", "--json"))
    assert [(r["experiment"], r["turn"]) for r in rows if r["state"] == "queued"] == [("first", 1), ("second", 2)]
    text = comp.ok("queue")
    assert max(map(len, text.splitlines())) <= 80
    assert text.index("first") < text.index("second")
    assert "more; --most" in comp("queue", "--most", "1").err


def test_what_is_to_be_paused_may_be_a_member(comp: Comp, queued: Store) -> None:
    said = comp.error("pause", "anne")
    assert "no experiment or member 'anne'. Did you mean 'ann'?" in said
    assert "first, second" in said


def test_bump_changes_the_order(comp: Comp, queued: Store) -> None:
    assert "3 jobs of second: priority 1 (debug, fold 0, fold 1)." in comp("bump", "second").err
    rows = json.loads(comp.ok("queue", "--json"))
    assert [r["experiment"] for r in rows if r["turn"]] == ["second", "first"]


def test_why_says_what_each_job_waits_for(comp: Comp, queued: Store) -> None:
    text = comp.ok("queue", "second", "--why")
    assert "1 job is ahead of it" in text
    assert "comp worker" in text
    assert "waits for its experiment's debug job" in text
    comp.ok("pause")
    comp.ok("pause", "second", "--as", "ann")
    paused = comp.ok("queue", "second", "--why")
    assert "has paused the queue" in paused
    assert "ann has paused experiment second" in paused
    assert "is about one experiment" in comp.error("queue", "--why")


def test_why_tells_the_seeds_of_a_fold_apart(comp: Comp, queued: Store) -> None:
    submitted(queued, config(2), name="third", folds=(0,), seeds=2)
    claim = attempts.claim(queued, this_process(), device="cpu", slot=0, experiment="third")
    assert claim is not None
    attempts.succeed(queued, result(claim.token))
    text = comp.ok("queue", "third", "--why").splitlines()
    assert [line for line in text if not line.startswith(" ")] == [
        "fold 0: queued",
        "fold 0 repeat 1: queued",
        "debug: succeeded",
    ]
    found = json.loads(comp.ok("queue", "third", "--why", "--json"))
    assert [one["job"] for one in found] == ["fold 0", "fold 0 repeat 1", "debug"]
    assert "2 jobs are ahead of it" in found[0]["why"][0] or "jobs are ahead of it" in " ".join(found[1]["why"])


def test_why_shows_the_last_lines_of_a_failed_job(comp: Comp, queued: Store) -> None:
    claim = attempts.claim(queued, this_process(), device="cpu", slot=0)
    assert claim is not None
    attempts.fail(queued, claim.token, kind=FailureKind.USER, reason="it is wrong", log_tail="one\ntwo")
    assert comp.ok("queue", "first", "--why").splitlines()[:4] == ["debug: failed", "  it is wrong", "  one", "  two"]


@pytest.mark.parametrize("subject", [[], ["ann"], ["first"]])
def test_pause_and_resume(comp: Comp, queued: Store, subject: list[str]) -> None:
    comp.ok("pause", *subject)
    rows = json.loads(comp.ok("queue", "--json"))
    assert {r["experiment"] for r in rows if r["turn"]} == ({"second"} if subject == ["first"] else set())
    assert "paused" in comp.ok("queue")
    comp.ok("resume", *subject)
    assert "is not paused" in comp.error("resume", *subject)


def test_pausing_now_stops_what_runs(comp: Comp, queued: Store) -> None:
    claim = attempts.claim(queued, this_process(), device="cpu", slot=0, experiment="first")
    assert claim is not None
    for subject in (["first"], ["ann"], []):
        comp.ok("pause", *subject)
        assert pauses.to_stop(queued, [claim.token]) == []
        assert "stop within seconds" in comp("pause", *subject, "--now").err
        assert pauses.to_stop(queued, [claim.token]) == [claim.token]
        assert "and stopped what ran" in comp("queue").err
        comp.ok("resume", *subject)
    assert pauses.to_stop(queued, [claim.token]) == []
    assert "no experiment or member 'frist'. Did you mean 'first'?" in comp.error("pause", "frist")


def test_events_tell_the_history(comp: Comp, queued: Store) -> None:
    comp.ok("cancel", "first", "--as", "ann")
    found = json.loads(comp.ok("events", "first", "--json"))
    assert found[0]["action"] == "submitted"
    assert found[-1]["action"].endswith("cancelled")
    assert max(map(len, comp.ok("events").splitlines())) <= 80
    assert "Nothing has happened to nobody" in comp.ok("events", "nobody")


def test_backup_while_somebody_writes(comp: Comp, queued: Store, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    with queued.write():
        comp.ok("backup", str(target))
    with sqlite3.connect(target) as raw:
        assert raw.execute("SELECT count(*) FROM experiments").fetchone() == (2,)
    assert [p.name for p in tmp_path.glob("*copy.db*")] == ["copy.db"]
    assert "the database itself" in comp.error("backup", "runs/comp.db")
    assert "name a file" in comp.error("backup", str(tmp_path))


def test_doctor_fails_when_something_is_wrong(comp: Comp, queued: Store) -> None:
    assert "sound" in comp.ok("doctor")
    claim = attempts.claim(queued, this_process(), device="cpu", slot=0)
    assert claim is not None
    attempts.succeed(queued, result(claim.token))
    ran = comp("doctor")
    assert ran.code == 1
    assert "log.txt is missing" in ran.out
    assert "1 problem is left" in ran.err
    assert max(map(len, ran.out.splitlines())) <= 80
