import re

from competition.config.conditions import Condition, conditions_between, default_name
from competition.config.experiment import Config, with_overrides


def test_conditions_are_the_leaves_that_differ() -> None:
    changed = with_overrides(Config(), ["optimizer.lr=0.01", "data.size=320x256"])
    assert conditions_between(Config(), changed) == (
        Condition("data.size", "256x256", "320x256"),
        Condition("optimizer.lr", 0.001, 0.01),
    )
    assert str(conditions_between(Config(), changed)[1]) == "optimizer.lr: 0.001 -> 0.01"
    assert conditions_between(Config(), Config()) == ()


def test_names_come_from_the_conditions() -> None:
    assert default_name((Condition("optimizer.lr", 1e-3, 5e-4),), otherwise="b1") == "lr-0.0005"
    assert (
        default_name((Condition("model.weights", "a", "/x/my weights.pt"),), otherwise="b1")
        == "weights-x-my-weights.pt"
    )
    assert default_name((), otherwise="b1") == "b1"


def test_a_pipeline_is_named_by_its_transforms() -> None:
    pipeline = [{"__class_fullname__": "HorizontalFlip", "p": 0.5}, {"__class_fullname__": "Blur"}]
    other = [{**pipeline[0], "p": 0.6}, pipeline[1]]
    condition = Condition("augment.pipeline", "basic", pipeline)
    assert re.fullmatch(r"augment.pipeline: basic -> [0-9a-f]{4} \[HorizontalFlip, Blur\]", str(condition))
    assert re.fullmatch(r"pipeline-[0-9a-f]{4}-HorizontalFlip-Blur", condition.slug)
    assert Condition("augment.pipeline", "basic", other).slug != condition.slug
