"""How often a job is tried, and what becomes of results that come late."""

import pytest

from competition.lifecycle import MOST_ATTEMPTS, FailureKind, JobState
from competition.store import events, schema
from competition.store.engine import Store
from competition.store.queue import attempts, jobs, slots
from tests.conftest import submitted
from tests.store.making import WORKER, check_invariants, config, result

S = JobState
MACHINE = [FailureKind.MEMORY, FailureKind.DISK, FailureKind.CRASH]
FINAL = [FailureKind.USER, FailureKind.DATA, FailureKind.GATE, FailureKind.NAN]


def claim(store: Store, *, slot: int = 0) -> str:
    taken = attempts.claim(store, WORKER, device="cpu", slot=slot)
    assert taken is not None
    return taken.token


def job(store: Store, name: str = "b1") -> jobs.Job:
    return jobs.of_experiment(store, name)[0]


@pytest.mark.parametrize("kind", MACHINE)
def test_what_may_be_the_machines_fault_is_tried_three_times(store: Store, kind: FailureKind) -> None:
    submitted(store)
    for number in range(1, MOST_ATTEMPTS + 1):
        assert job(store).state is S.QUEUED
        assert attempts.fail(store, claim(store), kind=kind, reason="it broke", log_tail="last words")
        assert job(store).failures == number
    assert (job(store).state, job(store).failure) == (S.FAILED, kind)
    assert attempts.log_tail(store, job(store).id) == "last words"
    assert {j.state for j in jobs.of_experiment(store, "b1")[1:]} == {S.CANCELLED}, "the folds wait no more"
    check_invariants(store)


@pytest.mark.parametrize("kind", FINAL)
def test_what_the_experiment_is_to_blame_for_is_never_tried_again(store: Store, kind: FailureKind) -> None:
    submitted(store, folds=())
    attempts.fail(store, claim(store), kind=kind, reason="it is wrong")
    assert (job(store).state, job(store).failure, job(store).reason) == (S.FAILED, kind, "it is wrong")


def test_interruptions_and_lost_machines_count_for_nothing(store: Store) -> None:
    submitted(store, folds=())
    for _ in range(MOST_ATTEMPTS):
        attempts.release(store, claim(store), why="interrupted")
        attempts.lose(store, claim(store), why="its worker died")
        attempts.fail(store, claim(store), kind=FailureKind.LOST, reason="killed from outside")
    assert (job(store).state, job(store).failures) == (S.QUEUED, 0)


def test_a_failed_job_goes_behind_the_others_and_a_lost_one_keeps_its_place(store: Store) -> None:
    submitted(store, config(1), folds=(), name="e1")
    submitted(store, config(2), folds=(), name="e2")
    attempts.lose(store, claim(store), why="its worker died")
    first = attempts.claim(store, WORKER, device="cpu", slot=0)
    assert first is not None
    assert first.experiment == "e1"
    attempts.fail(store, first.token, kind=FailureKind.CRASH, reason="it broke")
    second = attempts.claim(store, WORKER, device="cpu", slot=0)
    assert second is not None
    assert second.experiment == "e2"


def test_a_retry_starts_to_count_anew(store: Store) -> None:
    submitted(store, folds=())
    for _ in range(MOST_ATTEMPTS):
        attempts.fail(store, claim(store), kind=FailureKind.CRASH, reason="it broke")
    jobs.retry(store, "b1", folds=None, actor="ann")
    assert (job(store).state, job(store).failures) == (S.QUEUED, 0)


def test_the_history_says_which_attempt_it_is_and_why(store: Store) -> None:
    submitted(store, folds=())
    attempts.fail(store, claim(store), kind=FailureKind.CRASH, reason="it broke")
    newest = events.history(store, subject="b1")[:2]
    assert [(e.action, e.why) for e in newest] == [
        ("debug: failed -> queued", "attempt 2 of 3, after: it broke"),
        ("debug: running -> failed", "it broke"),
    ]


def test_a_late_result_is_accepted_while_the_job_waits(store: Store) -> None:
    submitted(store)
    token = claim(store)
    attempts.lose(store, token, why="its worker died")
    assert attempts.succeed(store, result(token))
    assert [j.state for j in jobs.of_experiment(store, "b1")] == [S.SUCCEEDED, S.QUEUED, S.QUEUED]
    assert not attempts.succeed(store, result(token)), "but once"
    check_invariants(store)


def test_a_late_result_is_kept_beside_the_one_of_the_attempt_that_followed(store: Store) -> None:
    submitted(store, folds=())
    token = claim(store)
    attempts.lose(store, token, why="its worker died")
    again = claim(store)
    assert not attempts.succeed(store, result(token, 0.9))
    assert attempts.succeed(store, result(again, 0.5))
    assert job(store).score == 0.5
    with store.read() as tx:
        late = tx.execute(schema.attempts.select().where(schema.attempts.c.outcome == attempts.LATE)).one()
    assert (late.token, late.result["score"]) == (token, 0.9)
    check_invariants(store)


def test_a_late_result_of_a_cancelled_job_is_kept_and_the_job_stays_cancelled(store: Store) -> None:
    submitted(store, folds=())
    token = claim(store)
    jobs.cancel(store, "b1", folds=None, actor="ann")
    assert not attempts.succeed(store, result(token, 0.9))
    assert job(store).state is S.CANCELLED
    assert events.history(store, subject="b1")[0].action == "debug: late result kept"


def test_a_slot_and_a_job_are_free_only_once_the_processes_are_gone(store: Store) -> None:
    submitted(store, config(1), folds=(), name="e1")
    submitted(store, config(2), folds=(), name="e2")
    token = claim(store)
    jobs.cancel(store, "e1", folds=None, actor="ann")
    jobs.retry(store, "e1", folds=None, actor="ann")
    assert attempts.claim(store, WORKER, device="cpu", slot=0) is None, "the slot"
    other = attempts.claim(store, WORKER, device="cpu", slot=1)
    assert other is not None
    assert other.experiment == "e2", "e1 is older, but its files may still be written to"
    assert attempts.claim(store, WORKER, device="cpu", slot=2) is None
    slots.free(store, token)
    mine = attempts.claim(store, WORKER, device="cpu", slot=0)
    assert mine is not None
    assert mine.experiment == "e1"


def test_freeing_a_live_attempt_changes_nothing(store: Store) -> None:
    submitted(store, folds=())
    token = claim(store)
    slots.free(store, token)
    assert [slot.is_live for slot in slots.held(store)] == [True]
