import re

import pytest

from competition.config.conditions import (
    Condition,
    check_effects,
    check_one_condition,
    conditions_between,
    default_name,
)
from competition.config.experiment import Config, with_overrides
from competition.errors import RefusedError


def test_conditions_are_the_leaves_that_differ() -> None:
    changed = with_overrides(Config(), ["optimizer.lr=0.01", "data.size=320x256"])
    assert conditions_between(Config(), changed) == (
        Condition("data.size", "256x256", "320x256"),
        Condition("optimizer.lr", 0.001, 0.01),
    )
    assert str(conditions_between(Config(), changed)[1]) == "optimizer.lr: 0.001 -> 0.01"
    assert conditions_between(Config(), Config()) == ()


def test_two_conditions_need_a_reason() -> None:
    two = (Condition("a.b", 1, 2), Condition("c", 3, 4))
    with pytest.raises(RefusedError, match="2 conditions") as caught:
        check_one_condition(two, together=None)
    assert "--together" in str(caught.value)
    check_one_condition(two, together="they only make sense together")
    check_one_condition(two[:1], together=None)


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


@pytest.mark.parametrize(
    ("alone", "with_what_it_needs"),
    [
        ("augment.horizontal_flip=0", None),
        ("augment.magnitude=12", "augment.policy=randaugment"),
        ("augment.gridmask_mask=void", "augment.gridmask=0.5"),
        ("mix.mixup_alpha=0.4", "mix.mixup=0.5"),
        ("mix.stop_epochs=3", "mix.copy_paste=0.5"),
        ("sampling.rare=[car]", "mix.copy_paste=0.5"),
        ("sampling.crop_scale=0.3", "sampling.rare_crop=0.5"),
        ("loss.focal_gamma=3", "loss.focal=1"),
        ("loss.tversky_beta=0.6", "loss.tversky=1"),
        ("schedule.plateau_patience=2", "schedule.name=plateau"),
        ("train.average_decay=0.9", "train.average=ema"),
        ("train.swa_start=0.5", "train.average=swa"),
        ("predict.overlap=0.25", "predict.window=64x64"),
    ],
)
def test_a_key_that_changes_nothing_is_refused(alone: str, with_what_it_needs: str | None) -> None:
    parent = with_overrides(Config(), ["augment.pipeline=street"])
    for needed in [[], [with_what_it_needs]] if with_what_it_needs else [[]]:
        base = with_overrides(parent, needed)
        changed = with_overrides(base, [alone])
        if needed:
            check_effects(conditions_between(base, changed), base, changed)
        else:
            with pytest.raises(RefusedError, match="would change nothing"):
                check_effects(conditions_between(base, changed), base, changed)


@pytest.mark.parametrize(
    ("before", "change", "works"),
    [
        ([], "sampling.crop=256x512", False),
        ([], "sampling.crop=224x512", True),
        ([], "predict.window=512x256", False),
        (["predict.window=512x512"], "predict.window=none", False),
        (["predict.window=128x128"], "predict.window=512x512", True),
        (["data.size=512x1024"], "predict.window=512x512", True),
        (["sampling.rare_crop=0.5"], "sampling.crop=512x512", True),  # there are no parts around rare classes any more
        (["mix.stop_epochs=20"], "mix.cutmix=0.5", False),
        (["mix.stop_epochs=19"], "mix.cutmix=0.5", True),
    ],
)
def test_a_part_must_be_smaller_than_the_image(before: list[str], change: str, works: bool) -> None:
    base = with_overrides(Config(), before)
    changed = with_overrides(base, [change])
    if works:
        check_effects(conditions_between(base, changed), base, changed)
    else:
        with pytest.raises(RefusedError, match=r"would change nothing: (data\.size is 256x256|mix\.stop_epochs=20)"):
            check_effects(conditions_between(base, changed), base, changed)
