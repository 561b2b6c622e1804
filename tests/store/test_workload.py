import pytest

from competition.config.experiment import Config, with_overrides
from competition.jobspec import Succeeded
from competition.store import experiments, members, scores
from competition.store.engine import Store
from competition.store.queue import attempts, jobs
from competition.store.queue.attempts import Process
from competition.store.workload import WEEK_S, workloads
from competition.team.roles import Role
from tests.conftest import submitted

WORKER = Process("host", "boot", 1, 1.0)


def at(monkeypatch: pytest.MonkeyPatch, moment: float) -> None:
    """Make it this moment, in seconds."""
    monkeypatch.setattr("time.time", lambda: moment)


def run_one(store: Store, monkeypatch: pytest.MonkeyPatch, start: float, end: float) -> None:
    """One job from start to end."""
    at(monkeypatch, start)
    claim = attempts.claim(store, WORKER, device="cpu", slot=0)
    assert claim is not None
    at(monkeypatch, end)
    attempts.succeed(store, Succeeded(claim.token, 0.5, 1.0, 1.0, 1.0, {}))


def test_device_time_of_the_last_week(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = members.assign(store, "bob", [Role.TRAINING], actor="ann")
    submitted(store)
    run_one(store, monkeypatch, 1000.0, 1100.0)
    run_one(store, monkeypatch, 2000.0, 2300.0)
    at(monkeypatch, 3000.0)
    attempts.claim(store, WORKER, device="cpu", slot=0)
    submitted(store, with_overrides(Config(), ["seed=1"]), name="bobs", member_id=bob.id, member="bob")
    at(monkeypatch, 3050.0)
    found = workloads(store)
    assert found["ann"].device_s == pytest.approx(100 + 300 + 50)
    assert (found["ann"].running, found["ann"].queued) == (("b1 fold 1",), 0)
    assert (found["bob"].running, found["bob"].queued, found["bob"].device_s) == ((), 3, 0.0)
    assert not found["ann"].is_idle
    assert not found["bob"].is_idle
    # A week after 2100: the first job is out of it, the second half in it, and the third runs on.
    at(monkeypatch, 2100.0 + WEEK_S)
    assert workloads(store)["ann"].device_s == pytest.approx(200 + 2100 + WEEK_S - 3000)


def test_the_last_result_is_the_one_completed_last(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    members.assign(store, "bob", [Role.EDA], actor="ann")
    submitted(store)
    submitted(store, with_overrides(Config(), ["seed=1"]), name="later")
    for start in range(6):
        run_one(store, monkeypatch, 10.0 * start, 10.0 * start + 5)
    scores.set_score(store, experiments.find(store, "later").id, score=0.4, class_iou=[])
    assert workloads(store)["ann"].last == "later"
    scores.set_score(store, experiments.find(store, "b1").id, score=0.5, class_iou=[])
    ended = {name: max(job.finished_at or 0 for job in jobs.of_experiment(store, name)) for name in ("b1", "later")}
    assert workloads(store)["ann"].last == max(ended, key=lambda name: ended[name])
    assert workloads(store)["bob"].last is None
