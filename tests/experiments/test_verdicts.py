import pytest

from competition.experiments.leaderboard import LeaderboardRow, leaderboard, pareto_front
from competition.jobspec import Succeeded
from competition.scoring.verdicts import Call, Effect, judge
from competition.store import comparisons, experiments, scores
from competition.store.comparisons import Comparison
from competition.store.engine import Store
from competition.store.queue import attempts, jobs
from tests.conftest import submitted
from tests.store.planting import BAND, WORKER, baseline, child, finish


def rows(store: Store) -> dict[str, LeaderboardRow]:
    return {row.name: row for row in leaderboard(store)}


def test_a_difference_is_judged_with_what_the_baselines_seeds_say(store: Store) -> None:
    b1 = baseline(store)
    child(store, "optimizer.lr=2e-3", 0.47, parent=b1)
    judged = rows(store)["lr-0.002"].judged
    assert judged is not None
    assert judged.effect == Effect(pytest.approx(0.03), 0.003, 240, (3, 1), BAND)
    assert judged.verdict == judge(judged.effect)
    assert (judged.verdict.call, judged.against, judged.seeds_from) == (Call.BETTER, "b1", ("b1",))
    assert rows(store)["b1"].judged is None


def test_without_repeats_anywhere_nothing_is_claimed(store: Store) -> None:
    b1 = baseline(store, band=None)
    child(store, "optimizer.lr=2e-3", 0.9, parent=b1)
    judged = rows(store)["lr-0.002"].judged
    assert judged is not None
    assert (judged.verdict.call, judged.seeds_from) == (Call.NEEDS_SEEDS, ())
    assert judged.to_json()["se"] is None


def test_a_grandchild_borrows_from_the_baseline_and_says_so(store: Store) -> None:
    b1 = baseline(store)
    parent = child(store, "optimizer.lr=2e-3", 0.47, parent=b1)
    child(store, "loss.dice=0.5", 0.50, parent=parent, of="lr-0.002")
    found = rows(store)
    grandchild, itself = found["dice-0.5-lr-0.002"].judged, found["lr-0.002"].judged
    assert grandchild is not None
    assert itself is not None
    assert (grandchild.seeds_from, grandchild.borrowed, itself.borrowed) == (("b1",), True, True)


def test_own_seeds_are_pooled_with_the_parents(store: Store) -> None:
    b1 = baseline(store)
    child(store, "optimizer.lr=2e-3", 0.47, parent=b1)
    lr = experiments.find(store, "lr-0.002")
    scores.set_score(store, lr.id, score=0.47, class_iou=[], repeat_scores={0: 0.46, 1: 0.48}, band=BAND)
    comparisons.save(store, *(experiments.find(store, n) for n in ("lr-0.002", "b1")), Comparison(0.003, 240, None))
    judged = rows(store)["lr-0.002"].judged
    assert judged is not None
    assert judged.effect.band is not None
    assert (judged.effect.band.df, judged.effect.runs) == (8, (3, 2))
    assert (judged.seeds_from, judged.borrowed) == (("lr-0.002", "b1"), False)


def test_many_tries_against_one_baseline_raise_the_bar(store: Store) -> None:
    b1 = baseline(store)
    child(store, "optimizer.lr=2e-3", 0.458, parent=b1)
    alone = rows(store)["lr-0.002"].judged
    for number in range(30):
        child(store, f"seed={number}", 0.44, parent=b1)
    among = rows(store)["lr-0.002"].judged
    assert alone is not None
    assert among is not None
    assert (alone.verdict.call, alone.family, alone.level) == (Call.BETTER, 1, 0.05)
    assert (among.family, among.level) == (31, pytest.approx(0.05 / 31))
    assert among.verdict.p == alone.verdict.p
    assert among.verdict.call is not Call.BETTER


def test_a_new_score_of_either_makes_the_comparison_due_again(store: Store) -> None:
    b1 = baseline(store)
    child(store, "optimizer.lr=2e-3", 0.47, parent=b1)
    assert comparisons.pending(store) == []
    submitted(store, seeds=5)
    assert (rows(store)["b1"].rank, rows(store)["b1"].reason) == (2, "6 of 10 folds done (5 seeds)")
    assert rows(store)["lr-0.002"].judged is not None  # what was known stays until more is
    assert comparisons.pending(store) == []
    finish(store, "b1", 0.44, scores=[0.44] * 5, band=BAND)
    due = comparisons.pending(store)
    assert [(e.name, parent.name) for e, parent in due] == [("lr-0.002", "b1")]


def test_a_comparison_that_comes_too_late_is_not_kept(store: Store) -> None:
    b1 = baseline(store)
    child(store, "optimizer.lr=2e-3", 0.47, parent=b1)
    pair = (experiments.find(store, "lr-0.002"), experiments.find(store, "b1"))
    jobs.retry(store, "b1", folds=[0], actor="ann", finished_too=True)
    assert experiments.find(store, "b1").score is None
    comparisons.save(store, *pair, Comparison(0.003, 240, None))
    finish(store, "b1", 0.44, scores=[0.44] * 3, band=BAND)
    assert len(comparisons.pending(store)) == 1
    comparisons.save(store, *pair, Comparison(0.003, 240, None))  # of other scores than there are by now
    assert len(comparisons.pending(store)) == 1
    comparisons.save(store, pair[0], experiments.find(store, "b1"), Comparison(0.003, 240, None))
    assert comparisons.pending(store) == []


def test_images_that_could_not_be_drawn_are_no_verdict_but_a_reason(store: Store) -> None:
    b1 = baseline(store)
    child(store, "optimizer.lr=2e-3", 0.47, parent=b1)
    lr = experiments.find(store, "lr-0.002")
    with store.write() as tx:
        scores.forget_score(tx, lr.id)
    scores.set_score(store, lr.id, score=0.47, class_iou=[])
    pair = (experiments.find(store, "lr-0.002"), experiments.find(store, "b1"))
    comparisons.save(store, *pair, Comparison(None, 0, "confusion.npz is damaged"))
    row = rows(store)["lr-0.002"]
    assert (row.rank, row.judged, row.reason) == (1, None, "no verdict: confusion.npz is damaged")


def test_seeds_are_jobs_of_their_own_and_the_first_is_as_before(store: Store) -> None:
    assert submitted(store, seeds=2).new_jobs == 5
    labels = [job.label for job in jobs.of_experiment(store, "b1")]
    assert labels == ["debug", "fold 0", "fold 1", "fold 0 repeat 1", "fold 1 repeat 1"]
    assert submitted(store, seeds=3).new_jobs == 2
    assert submitted(store, seeds=1).new_jobs == 0
    assert experiments.unscored(store) == []


def test_the_score_waits_for_every_seed(store: Store) -> None:
    submitted(store, seeds=2)
    finish(store, "b1", 0.5)
    assert experiments.find(store, "b1").score is None  # two seeds were asked for, one was recorded
    found = experiments.unscored(store)
    assert [(e.name, repeats) for e, repeats in found] == [("b1", (0, 1))]
    finish(store, "b1", 0.5, scores=[0.4, 0.6], band=BAND)
    row = rows(store)["b1"]
    assert (row.score, row.seed_scores, row.fold_scores) == (0.5, (0.4, 0.6), (0.5, 0.5))


def test_cancelled_seeds_leave_the_score_as_it_was(store: Store) -> None:
    baseline(store)
    submitted(store, seeds=4)
    jobs.cancel(store, "b1", folds=None, actor="ann")
    assert (rows(store)["b1"].rank, len(rows(store)["b1"].seed_scores)) == (1, 3)
    assert experiments.unscored(store) == []


def test_more_seeds_of_a_scored_experiment_are_scored_with_it(store: Store) -> None:
    baseline(store)
    submitted(store, seeds=4)
    while taken := attempts.claim(store, WORKER, device="cpu", slot=0, experiment="b1"):
        attempts.succeed(store, Succeeded(taken.token, 0.4, 2.0, 1.0, 1.0, {}))
    assert [(e.name, repeats) for e, repeats in experiments.unscored(store)] == [("b1", (0, 1, 2, 3))]


def test_the_front_holds_what_no_cheaper_one_beats(store: Store) -> None:
    b1 = baseline(store)
    child(store, "optimizer.lr=2e-3", 0.47, parent=b1)
    child(store, "loss.dice=0.5", 0.41, parent=b1)
    with store.write() as tx:
        tx.exec_driver_sql("UPDATE jobs SET device_s = 10 * experiment_id")
    # b1 took 7 jobs of 10 s for three seeds, each of the others 3 jobs of 20 or 30 s
    assert [row.name for row in pareto_front(leaderboard(store))] == ["b1", "lr-0.002"]
