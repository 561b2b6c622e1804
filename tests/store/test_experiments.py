import pytest

from competition.config.conditions import Condition
from competition.config.experiment import Config, with_overrides
from competition.errors import RefusedError, UnknownNameError
from competition.store import experiments
from competition.store.engine import Store
from tests.conftest import record_split, submitted


def test_the_same_configuration_is_the_same_experiment(store: Store) -> None:
    first = submitted(store)
    again = submitted(store, name="another-name")
    assert first.is_new
    assert not again.is_new
    assert again.experiment.name == "b1"
    assert again.new_jobs == 0


def test_missing_folds_are_added_to_the_existing_experiment(store: Store) -> None:
    assert submitted(store, folds=()).new_jobs == 1
    assert submitted(store, folds=(0,)).new_jobs == 1
    assert submitted(store, folds=(0, 1)).new_jobs == 1


def test_on_another_split_it_is_another_experiment(store: Store) -> None:
    submitted(store)
    record_split(store, version=2, folds=3)
    again = submitted(store, split_version=2)
    assert again.is_new
    assert again.experiment.name == "b1-2"


def test_a_name_that_is_taken_is_refused_when_given_and_numbered_when_not(store: Store) -> None:
    submitted(store)
    other = with_overrides(Config(), ["seed=7"])
    with pytest.raises(RefusedError, match="already, with another configuration"):
        submitted(store, other, name_given=True)
    assert submitted(store, other).experiment.name == "b1-2"


def test_everything_about_an_experiment_is_read_back(store: Store) -> None:
    config = with_overrides(Config(), ["loss.dice=0.5"])
    made = submitted(
        store,
        config,
        name="dice",
        parent_sha256=Config().sha256,
        conditions=(Condition("loss.dice", 1.0, 0.5),),
        confounded="a reason",
        note="메모 <b>",
    ).experiment
    found = experiments.find(store, "dice")
    assert found == made
    assert found.config == config
    assert found.conditions == (Condition("loss.dice", 1.0, 0.5),)
    assert (found.confounded, found.note, found.member) == ("a reason", "메모 <b>", "ann")


def test_an_unknown_name_suggests_the_nearest(store: Store) -> None:
    submitted(store, name="dice-0.5")
    with pytest.raises(UnknownNameError, match=r"Did you mean 'dice-0\.5'"):
        experiments.find(store, "dice-05")
