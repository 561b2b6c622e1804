from competition.config.settings import DataSettings, Settings
from competition.experiments.team_state import team_state
from competition.store.comparisons import Comparison
from competition.store.engine import Store
from competition.store.workload import workloads
from tests.conftest import submitted
from tests.store.planting import baseline, child

SETTINGS = Settings(name="x", classes=("a", "b"), data=DataSettings(images="i", masks="m"))


def test_only_what_is_better_by_verdict_may_be_promoted(store: Store) -> None:
    parent = baseline(store)
    child(store, "optimizer.lr=2e-3", 0.44 + 0.05, parent=parent)
    child(store, "loss.dice=0.5", 0.44 + 0.008, parent=parent)
    state = team_state(store, SETTINGS, workloads(store))
    assert state.promotable == ("lr-0.002",)
    assert state.unsure == (("dice-0.5", "dice-0.5"),)


def test_what_predicts_better_with_the_same_models_may_be_promoted_whatever_other_seeds_score(store: Store) -> None:
    parent = baseline(store)
    child(store, "predict.tta=hflip", 0.438, parent=parent, found=Comparison(0.0005, 240, None, delta=0.004, runs=1))
    assert team_state(store, SETTINGS, workloads(store)).promotable == ("tta-hflip",)


def test_a_baseline_that_waits_or_runs_is_under_way(store: Store) -> None:
    assert team_state(store, SETTINGS, workloads(store)).baseline_under_way is None
    submitted(store, name="b1")
    assert team_state(store, SETTINGS, workloads(store)).baseline_under_way == "b1"


def test_a_complete_baseline_is_not_under_way(store: Store) -> None:
    baseline(store)
    assert team_state(store, SETTINGS, workloads(store)).baseline_under_way is None


def test_a_parent_without_seeds_is_to_be_repeated(store: Store) -> None:
    parent = baseline(store, band=None)
    child(store, "optimizer.lr=2e-3", 0.44 + 0.05, parent=parent)
    child(store, "loss.dice=0.5", 0.44 - 0.05, parent=parent)
    state = team_state(store, SETTINGS, workloads(store))
    assert state.promotable == ()
    assert state.unsure == (("lr-0.002", "b1"),)


def test_while_seeds_of_the_baseline_are_under_way_nobody_is_told_to_run_them(store: Store) -> None:
    parent = baseline(store, band=None)
    child(store, "optimizer.lr=2e-3", 0.44 + 0.05, parent=parent)
    submitted(store, seeds=3)
    state = team_state(store, SETTINGS, workloads(store))
    assert (state.baseline_run, state.complete, state.unsure) == (True, 2, ())
