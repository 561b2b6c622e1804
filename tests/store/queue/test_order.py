import time

import pytest
from sqlalchemy import update

from competition.jobspec import Succeeded
from competition.lifecycle import JobState
from competition.store import experiments, members, schema
from competition.store.engine import Store
from competition.store.queue import attempts, jobs, order, pauses
from competition.store.queue.order import HALF_LIFE_S
from competition.store.queue.pauses import Scope
from competition.team.roles import Role
from tests.conftest import submitted
from tests.store.making import WORKER, config, result


@pytest.fixture(autouse=True)
def bob(store: Store) -> int:
    return members.assign(store, "bob", [Role.TRAINING], actor="ann").id


def submit(store: Store, number: int, *, member: str = "ann") -> None:
    found = members.find(store, member)
    submitted(store, config(number), folds=(), name=f"e{number}", member=member, member_id=found.id)


def take(store: Store, slot: int = 0, **options: object) -> attempts.Claim | None:
    return attempts.claim(store, WORKER, device="gpu", slot=slot, **options)  # type: ignore[arg-type]


def taken(store: Store, *, most: int = 10) -> list[str]:
    found = [take(store, slot) for slot in range(most)]
    return [claim.experiment for claim in found if claim is not None]


def use(store: Store, member: str, hours: float, *, ago_s: float = 0.0) -> None:
    values = {"usage_s": hours * 3600, "usage_at": time.time() - ago_s}
    with store.write() as tx:
        tx.execute(update(schema.members).where(schema.members.c.name == member).values(values))


def test_priority_comes_before_use_and_use_before_age(store: Store) -> None:
    submit(store, 1)
    submit(store, 2)
    submit(store, 3, member="bob")
    submit(store, 4, member="bob")
    use(store, "ann", 1.0)
    jobs.bump(store, "e2", folds=None, priority=None, actor="ann")
    assert taken(store, most=3) == ["e2", "e3", "e4"]
    assert taken(store) == ["e1"]


def test_jobs_that_run_count_as_use(store: Store) -> None:
    for number in (1, 2):
        submit(store, number)
    submit(store, 3, member="bob")
    assert taken(store, most=1) == ["e1"]
    with store.write() as tx:
        tx.execute(update(schema.attempts).values(started_at=time.time() - 60))
    assert take(store, 1).experiment == "e3"  # type: ignore[union-attr]
    assert take(store, 2).experiment == "e2"  # type: ignore[union-attr]


def test_use_fades_by_half_a_day(store: Store) -> None:
    use(store, "ann", 4.0, ago_s=HALF_LIFE_S)
    use(store, "bob", 2.5)
    usage = order.usage(store)
    assert usage[1] == pytest.approx(2 * 3600, rel=1e-3)
    submit(store, 1, member="bob")
    submit(store, 2)
    assert taken(store) == ["e2", "e1"]


def test_device_time_is_counted_when_an_attempt_ends(store: Store) -> None:
    submit(store, 1)
    claim = take(store)
    assert claim is not None
    with store.write() as tx:
        tx.execute(update(schema.attempts).values(started_at=time.time() - 100))
    attempts.release(store, claim.token, why="interrupted")
    assert order.usage(store)[1] == pytest.approx(100, abs=2)


def test_a_clock_that_is_set_back_gives_nothing_away(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(store, 1)
    use(store, "ann", 1.0)
    claim = take(store)
    assert claim is not None
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    assert attempts.heartbeat(store, claim.token, None)
    assert attempts.succeed(store, result(claim.token))
    assert order.usage(store)[1] == pytest.approx(3600, abs=5)
    assert jobs.of_experiment(store, "e1")[0].device_s >= 0


def test_a_job_that_needs_too_much_memory_is_passed_over(store: Store) -> None:
    submit(store, 1)
    claim = take(store)
    assert claim is not None
    attempts.succeed(store, result(claim.token, peak_mib=5000))
    submit(store, 2)
    job = jobs.of_experiment(store, "e2")[0]
    assert job.memory_mib == 5000, "a job of the same shape has told"
    assert take(store, free_mib=4999) is None
    assert take(store, free_mib=5000) is not None


def test_an_unmeasured_job_does_not_share_a_device(store: Store) -> None:
    submit(store, 1)
    assert take(store, free_mib=80_000, known_memory_only=True) is None
    assert take(store, free_mib=80_000) is not None


def test_memory_of_a_cpu_job_says_nothing_about_gpus(store: Store) -> None:
    submit(store, 1)
    claim = attempts.claim(store, WORKER, device="cpu", slot=0)
    assert claim is not None
    attempts.succeed(store, Succeeded(claim.token, None, 2.0, 1.0, 1.0, {}, {"peak_memory_mib": 900}))
    assert jobs.of_experiment(store, "e1")[0].memory_mib is None


@pytest.mark.parametrize("scope", Scope)
def test_a_pause_keeps_jobs_from_starting_until_it_is_lifted(store: Store, scope: Scope) -> None:
    submit(store, 1)
    ids = {Scope.QUEUE: None, Scope.MEMBER: 1, Scope.EXPERIMENT: experiments.find(store, "e1").id}
    pauses.add(store, scope, ids[scope], "it", actor="bob")
    pauses.add(store, scope, ids[scope], "it", actor="bob")
    assert take(store) is None
    assert not order.anything_to_start(store)
    assert [p.scope for p in pauses.every(store)] == [scope]
    assert "bob has paused" in str(pauses.every(store)[0])
    assert pauses.remove(store, scope, ids[scope], "it", actor="bob")
    assert not pauses.remove(store, scope, ids[scope], "it", actor="bob")
    assert take(store) is not None


def test_a_paused_member_holds_nobody_else_up(store: Store) -> None:
    submit(store, 1)
    submit(store, 2, member="bob")
    pauses.add(store, Scope.MEMBER, 1, "ann", actor="bob")
    assert taken(store) == ["e2"]


def test_only_held_jobs_are_stopped(store: Store) -> None:
    submit(store, 1)
    submit(store, 2)
    tokens = [take(store, slot).token for slot in range(2)]  # type: ignore[union-attr]
    pauses.add(store, Scope.EXPERIMENT, experiments.find(store, "e1").id, "e1", actor="ann")
    assert pauses.to_stop(store, tokens) == []
    pauses.add(store, Scope.EXPERIMENT, experiments.find(store, "e1").id, "e1", actor="ann", stops=True)
    assert pauses.to_stop(store, tokens) == tokens[:1]


def test_what_a_job_should_take_is_what_such_jobs_took(store: Store) -> None:
    submit(store, 1)
    claim = take(store)
    assert claim is not None
    with store.write() as tx:
        tx.execute(update(schema.attempts).values(started_at=time.time() - 50))
    attempts.succeed(store, result(claim.token))
    submit(store, 2)
    waiting = order.waiting(store)
    assert [round(w.expected_s or 0) for w in waiting] == [50]
    assert not waiting[0].paused
    assert jobs.count(store, [JobState.QUEUED]) == 1
