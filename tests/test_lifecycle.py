import pytest

from competition.lifecycle import (
    LEGAL_MOVES,
    ExperimentState,
    IllegalMoveError,
    JobState,
    check_move,
    experiment_state,
    repeats_asked_for,
)

S = JobState


def test_every_state_has_its_row_and_every_state_can_be_reached() -> None:
    assert set(LEGAL_MOVES) == set(JobState)
    reachable = set().union(*LEGAL_MOVES.values())
    assert reachable == set(JobState)


def test_what_has_succeeded_moves_only_when_somebody_asks_for_it_again() -> None:
    check_move(S.SUCCEEDED, S.QUEUED)
    for state in set(JobState) - {S.QUEUED}:
        with pytest.raises(IllegalMoveError):
            check_move(S.SUCCEEDED, state)


def test_only_a_queued_job_starts_to_run() -> None:
    starts = {old for old, news in LEGAL_MOVES.items() if S.RUNNING in news}
    assert starts == {S.QUEUED, S.SUSPECT}


@pytest.mark.parametrize(
    ("debug", "folds", "expected"),
    [
        (S.SUCCEEDED, {0: S.SUCCEEDED, 1: S.SUCCEEDED}, ExperimentState.COMPLETE),
        (S.QUEUED, {0: S.WAITING, 1: S.WAITING}, ExperimentState.QUEUED),
        (S.RUNNING, {0: S.WAITING}, ExperimentState.RUNNING),
        (S.SUCCEEDED, {0: S.SUCCEEDED, 1: S.SUSPECT}, ExperimentState.RUNNING),
        (S.FAILED, {0: S.CANCELLED}, ExperimentState.FAILED),
        (S.SUCCEEDED, {0: S.SUCCEEDED, 1: S.FAILED}, ExperimentState.FAILED),
        (S.SUCCEEDED, {0: S.SUCCEEDED}, ExperimentState.PARTIAL),
        (S.SUCCEEDED, {0: S.SUCCEEDED, 1: S.CANCELLED}, ExperimentState.CANCELLED),
        (S.SUCCEEDED, {}, ExperimentState.DEBUG),
        (S.SUCCEEDED, {0: S.LOST, 1: S.SUCCEEDED}, ExperimentState.QUEUED),
    ],
)
def test_the_state_of_an_experiment(debug: JobState, folds: dict[int, JobState], expected: ExperimentState) -> None:
    assert experiment_state(debug, {(fold, 0): state for fold, state in folds.items()}, needed=2) is expected


def test_every_seed_that_was_asked_for_must_be_there() -> None:
    first = {(0, 0): S.SUCCEEDED, (1, 0): S.SUCCEEDED}
    assert experiment_state(S.SUCCEEDED, {**first, (0, 1): S.QUEUED}, needed=2) is ExperimentState.QUEUED
    assert experiment_state(S.SUCCEEDED, {**first, (0, 1): S.SUCCEEDED}, needed=2) is ExperimentState.PARTIAL
    whole = {**first, (0, 1): S.SUCCEEDED, (1, 1): S.SUCCEEDED}
    assert experiment_state(S.SUCCEEDED, whole, needed=2) is ExperimentState.COMPLETE
    assert repeats_asked_for(whole) == (0, 1)


def test_a_seed_of_which_a_fold_was_cancelled_is_no_longer_asked_for() -> None:
    folds = {(0, 0): S.SUCCEEDED, (1, 0): S.SUCCEEDED, (0, 1): S.SUCCEEDED, (1, 1): S.CANCELLED}
    assert experiment_state(S.SUCCEEDED, folds, needed=2) is ExperimentState.COMPLETE
    assert repeats_asked_for(folds) == (0,)
    assert repeats_asked_for({(0, 0): S.CANCELLED}) == (0,)
