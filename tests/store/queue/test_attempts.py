import threading

import pytest
from sqlalchemy.exc import IntegrityError

from competition.config.experiment import Config, with_overrides
from competition.jobspec import Progress, Succeeded
from competition.lifecycle import FailureKind, JobKind, JobState
from competition.store import artifacts, events, schema
from competition.store.engine import Store
from competition.store.queue import attempts, jobs
from competition.store.queue.attempts import Claim, Process
from tests.conftest import submitted

WORKER = Process("host", "boot", 1, 1.0)
S = JobState


def claim(store: Store, *, device: str = "cpu", experiment: str | None = None) -> Claim | None:
    return attempts.claim(store, WORKER, device=device, slot=0, experiment=experiment)


def result(token: str, score: float | None = None) -> Succeeded:
    return Succeeded(token, score, first_loss=2.0, last_loss=1.0, train_s=1.0, artifacts={"log.txt": "0" * 64})


def states(store: Store, name: str = "b1") -> dict[str, JobState]:
    return {job.label: job.state for job in jobs.of_experiment(store, name)}


def pass_debug(store: Store) -> None:
    taken = claim(store)
    assert taken is not None
    assert taken.kind is JobKind.DEBUG
    assert attempts.succeed(store, result(taken.token))


def test_the_debug_job_goes_first_and_lets_the_folds_go(store: Store) -> None:
    submitted(store)
    assert states(store) == {"debug": S.QUEUED, "fold 0": S.WAITING, "fold 1": S.WAITING}
    pass_debug(store)
    assert states(store) == {"debug": S.SUCCEEDED, "fold 0": S.QUEUED, "fold 1": S.QUEUED}


def test_a_failed_debug_job_stops_the_folds(store: Store) -> None:
    submitted(store)
    taken = claim(store)
    assert taken is not None
    attempts.fail(store, taken.token, kind=FailureKind.GATE, reason="the loss did not fall")
    assert states(store) == {"debug": S.FAILED, "fold 0": S.CANCELLED, "fold 1": S.CANCELLED}
    assert [job.reason for job in jobs.of_experiment(store, "b1")] == [
        "the loss did not fall",
        *["the debug run failed"] * 2,
    ]
    assert claim(store) is None


def test_retry_brings_the_gate_and_the_folds_back(store: Store) -> None:
    submitted(store)
    taken = claim(store)
    assert taken is not None
    attempts.fail(store, taken.token, kind=FailureKind.GATE, reason="no")
    moved = jobs.retry(store, "b1", folds=None, actor="ann")
    assert len(moved) == 3
    assert states(store) == {"debug": S.QUEUED, "fold 0": S.WAITING, "fold 1": S.WAITING}
    assert jobs.of_experiment(store, "b1")[0].failure is None


def test_a_slot_holds_one_job_and_a_job_one_attempt(store: Store) -> None:
    submitted(store)
    pass_debug(store)
    first, second = claim(store), claim(store)
    assert first is not None
    assert second is None
    other = claim(store, device="gpu")
    assert other is not None
    assert other.job_id != first.job_id
    with pytest.raises(IntegrityError), store.write() as tx:
        row = tx.execute(schema.attempts.select().where(schema.attempts.c.token == other.token)).one()
        values = {**row._mapping, "id": None, "token": "another", "device": "third"}
        tx.execute(schema.attempts.insert().values(**values))


def test_a_race_for_one_job_has_one_winner(store: Store) -> None:
    submitted(store, folds=())
    barrier = threading.Barrier(8)
    won: list[Claim | None] = []

    def race(number: int) -> None:
        barrier.wait()
        won.append(claim(store, device=f"gpu{number}"))

    threads = [threading.Thread(target=race, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(c is not None for c in won) == 1
    assert len(won) == 8


def test_a_token_whose_attempt_has_ended_changes_nothing(store: Store) -> None:
    submitted(store, folds=())
    taken = claim(store)
    assert taken is not None
    jobs.cancel(store, "b1", folds=None, actor="ann")
    assert not attempts.heartbeat(store, taken.token, None)
    assert not attempts.succeed(store, result(taken.token))
    assert not attempts.fail(store, taken.token, kind=FailureKind.CRASH, reason="x")
    assert not attempts.release(store, taken.token, why="x")
    assert not attempts.lose(store, taken.token, why="x")
    assert states(store) == {"debug": S.CANCELLED}


def test_progress_is_seen_while_the_job_runs_and_gone_afterwards(store: Store) -> None:
    submitted(store, folds=())
    taken = claim(store)
    assert taken is not None
    progress = Progress(1, 2, 3, 4, loss=0.5, score=None, images_per_s=9.0, eta_s=1.0)
    assert attempts.heartbeat(store, taken.token, progress)
    running = jobs.of_experiment(store, "b1")[0]
    assert running.progress is not None
    assert running.progress["batch"] == 3
    assert running.device == "cpu"
    attempts.succeed(store, result(taken.token))
    assert jobs.of_experiment(store, "b1")[0].progress is None


def test_an_interrupted_job_is_queued_again(store: Store) -> None:
    submitted(store, folds=())
    taken = claim(store)
    assert taken is not None
    assert attempts.release(store, taken.token, why="interrupted")
    again = claim(store)
    assert again is not None
    assert again.job_id == taken.job_id
    assert again.token != taken.token


def test_a_lost_job_passes_through_lost_in_the_history(store: Store) -> None:
    submitted(store, folds=())
    taken = claim(store)
    assert taken is not None
    assert attempts.lose(store, taken.token, why="its worker died")
    assert states(store) == {"debug": S.QUEUED}
    actions = [e.action for e in events.history(store, subject="b1")]
    assert actions[:2] == ["debug: lost -> queued", "debug: running -> lost"]


def test_a_suspect_job_runs_again_when_its_heartbeat_comes_back(store: Store) -> None:
    submitted(store, folds=())
    taken = claim(store)
    assert taken is not None
    assert attempts.suspect(store, taken.token, why="no heartbeat for 99 s")
    assert states(store) == {"debug": S.SUSPECT}
    assert attempts.heartbeat(store, taken.token, None)
    assert states(store) == {"debug": S.RUNNING}


def test_the_oldest_job_goes_first_and_a_worker_can_stay_with_one_experiment(store: Store) -> None:
    submitted(store, folds=(), name="old")
    submitted(store, with_overrides(Config(), ["seed=1"]), folds=(), name="new")
    mine = claim(store, experiment="new")
    assert mine is not None
    assert mine.experiment == "new"
    any_other = claim(store, device="gpu")
    assert any_other is not None
    assert any_other.experiment == "old"


def test_hashes_of_artifacts_are_recorded(store: Store) -> None:
    submitted(store, folds=())
    pass_debug(store)
    assert artifacts.of_experiment(store, "b1") == {("debug", "log.txt"): "0" * 64}


def test_a_succeeded_fold_is_done_again_only_when_asked_for(store: Store) -> None:
    submitted(store, folds=(0,))
    pass_debug(store)
    taken = claim(store)
    assert taken is not None
    attempts.succeed(store, result(taken.token, 0.5))
    assert jobs.retry(store, "b1", folds=None, actor="ann") == []
    moved = jobs.retry(store, "b1", folds=[0], actor="ann", finished_too=True)
    assert [job.label for job in moved] == ["fold 0"]
    assert states(store) == {"debug": S.SUCCEEDED, "fold 0": S.QUEUED}
    assert jobs.of_experiment(store, "b1")[1].score is None
