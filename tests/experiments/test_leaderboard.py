import subprocess
import sys

import pytest

from competition.config.conditions import Condition
from competition.config.experiment import Config, with_overrides
from competition.experiments.leaderboard import LeaderboardRow, leaderboard, standings
from competition.jobspec import Succeeded
from competition.lifecycle import ExperimentState, FailureKind
from competition.store import experiments, members, splits
from competition.store.engine import Store
from competition.store.queue import attempts, jobs
from competition.store.queue.attempts import Process
from competition.store.scores import set_score
from competition.store.splits import SplitVersion
from competition.team.roles import Role
from tests.conftest import record_split, submitted

WORKER = Process("host", "boot", 1, 1.0)


def run_all(store: Store, name: str, scores: list[float], total: float | None) -> None:
    """Play the worker: the debug job and then a fold for each score."""
    for score in [None, *scores]:
        taken = attempts.claim(store, WORKER, device="cpu", slot=0, experiment=name)
        assert taken is not None
        attempts.succeed(store, Succeeded(taken.token, score, 2.0, 1.0, 1.0, {}))
    if total is not None:
        set_score(store, experiments.find(store, name).id, score=total, class_iou=[total, None])


def rows(store: Store, **options: bool) -> dict[str, LeaderboardRow]:
    return {row.name: row for row in leaderboard(store, **options)}  # type: ignore[arg-type]


def test_complete_experiments_rank_by_score_with_their_delta(store: Store) -> None:
    submitted(store)
    run_all(store, "b1", [0.4, 0.5], 0.44)
    changed = with_overrides(Config(), ["loss.dice=0.5"])
    condition = (Condition("loss.dice", 1.0, 0.5),)
    submitted(store, changed, name="dice-0.5", parent_sha256=Config().sha256, conditions=condition)
    run_all(store, "dice-0.5", [0.5, 0.5], 0.5)
    found = leaderboard(store)
    assert [(r.rank, r.name) for r in found] == [(1, "dice-0.5"), (2, "b1")]
    best = found[0]
    assert best.parent == "b1"
    assert best.delta == pytest.approx(0.06)
    assert best.fold_scores == (0.5, 0.5)
    assert (best.fold_mean, best.fold_std) == (0.5, 0.0)
    assert found[1].delta is None
    assert found[1].fold_std == pytest.approx(0.0707, abs=1e-4)
    assert best.to_json()["conditions"] == ["loss.dice: 1.0 -> 0.5"]


def test_what_is_not_complete_stands_below_with_the_reason(store: Store) -> None:
    submitted(store)
    run_all(store, "b1", [0.4, 0.5], 0.44)
    submitted(store, with_overrides(Config(), ["seed=1"]), name="debug-only", folds=())
    run_all(store, "debug-only", [], None)
    submitted(store, with_overrides(Config(), ["seed=2"]), name="partial", folds=(1,))
    run_all(store, "partial", [0.9], None)
    submitted(store, with_overrides(Config(), ["seed=3"]), name="failed")
    taken = attempts.claim(store, WORKER, device="cpu", slot=0, experiment="failed")
    assert taken is not None
    attempts.fail(store, taken.token, kind=FailureKind.GATE, reason="the loss did not fall")
    found = rows(store)
    assert [r.name for r in found.values() if r.rank] == ["b1"]
    assert (found["debug-only"].state, found["debug-only"].score) == (ExperimentState.DEBUG, None)
    assert found["partial"].state is ExperimentState.PARTIAL
    assert found["partial"].reason == "1 of 2 folds done"
    assert found["partial"].fold_scores == (None, 0.9)
    assert found["failed"].state is ExperimentState.FAILED
    assert "the loss did not fall" in found["failed"].reason


def test_a_score_keeps_its_rank_while_a_further_seed_is_not_done(store: Store) -> None:
    submitted(store)
    run_all(store, "b1", [0.4, 0.5], 0.44)
    submitted(store, seeds=2)
    waiting = rows(store)["b1"]
    assert (waiting.rank, waiting.score, waiting.state) == (1, 0.44, ExperimentState.QUEUED)
    assert waiting.reason == "2 of 4 folds done (2 seeds)"
    taken = attempts.claim(store, WORKER, device="cpu", slot=0, experiment="b1")
    assert taken is not None
    attempts.fail(store, taken.token, kind=FailureKind.NAN, reason="the loss is not finite")
    failed = rows(store)["b1"]
    assert (failed.rank, failed.score, failed.state) == (1, 0.44, ExperimentState.FAILED)
    assert "the loss is not finite" in failed.reason
    jobs.retry(store, "b1", folds=[0], actor="ann", finished_too=True)
    again = rows(store)["b1"]
    assert (again.rank, again.score) == (None, None)  # what the score rests on is trained anew


def test_another_split_starts_another_ranking(store: Store) -> None:
    submitted(store)
    run_all(store, "b1", [0.4, 0.5], 0.44)
    record_split(store, version=2, folds=1)
    assert leaderboard(store) == []
    old = rows(store, every_split=True)["b1"]
    assert old.rank is None
    assert old.reason == "on split v1; the current one is v2"


def test_a_member_keeps_the_rank_among_everybody(store: Store) -> None:
    bob = members.assign(store, "bob", [Role.TRAINING], actor="ann")
    submitted(store)
    run_all(store, "b1", [0.4, 0.5], 0.44)
    submitted(store, with_overrides(Config(), ["seed=1"]), name="bobs", member_id=bob.id, member="bob")
    run_all(store, "bobs", [0.3, 0.3], 0.3)
    found = leaderboard(store, member="bob")
    assert [(r.rank, r.name) for r in found] == [(2, "bobs")]


def test_a_split_that_leaks_says_so_in_every_row(store: Store) -> None:
    leaking = SplitVersion(2, "f" * 16, "given", 2, None, 0, "hash2", 0.0, leaks_allowed="the organisers' folds")
    submitted(store)
    splits.save(store, leaking, actor="ann")
    assert splits.require_current(store).leaks_allowed == "the organisers' folds"
    submitted(store, name="again", split_version=2)
    found = rows(store, every_split=True)
    assert {name: row.to_json()["leaks_allowed"] for name, row in found.items()} == {
        "b1": None,
        "again": "the organisers' folds",
    }


def test_the_first_rows_are_those_of_the_whole_listing(store: Store) -> None:
    """With seeds added to one, a fold missing in another, a cancelled seed, and one on an older split."""
    for number, score in enumerate([0.4, 0.6, 0.5, 0.7, 0.3]):
        submitted(store, with_overrides(Config(), [f"seed={number}"]), name=f"e{number}")
        run_all(store, f"e{number}", [score, score], score)
    submitted(store, with_overrides(Config(), ["seed=1"]), seeds=2)
    submitted(store, with_overrides(Config(), ["seed=0"]), seeds=2)
    jobs.cancel(store, "e0", folds=[0, 1], actor="ann")
    submitted(store, with_overrides(Config(), ["seed=9"]), name="waits")
    submitted(store, with_overrides(Config(), ["seed=3"]), folds=(0,), seeds=2)
    taken = attempts.claim(store, WORKER, device="cpu", slot=0, experiment="e3")
    assert taken is not None
    attempts.succeed(store, Succeeded(taken.token, 0.7, 2.0, 1.0, 1.0, {}))
    listed = leaderboard(store)
    assert [row.name for row in listed if row.rank] == ["e3", "e1", "e2", "e0", "e4"]  # seeds to come take no rank
    assert {row.name: row.reason for row in listed if row.reason} == {
        "waits": "0 of 2 folds done",
        "e3": "3 of 4 folds done (2 seeds)",
        "e1": "2 of 4 folds done (2 seeds)",
    }
    for most in range(1, 7):
        found = standings(store, most=most)
        assert (found.rows, found.total) == (listed[:most], 6)
    mine = standings(store, member="ann", most=2)
    assert mine.rows == listed[:2]
    record_split(store, version=2, folds=2)
    assert standings(store, most=1).total == 0
    (older,) = standings(store, every_split=True, most=1).rows
    assert (older.rank, older.name) == (None, "waits")


def test_a_listing_loads_no_configurations() -> None:
    """Their pydantic models would add a tenth of a second to `comp leaderboard`."""
    program = "import sys, competition.experiments.leaderboard; print('competition.config.experiment' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
