import re
from pathlib import Path

import pytest

from competition.config.conditions import Condition, conditions_between
from competition.config.experiment import Config, with_overrides
from competition.config.settings import read_settings
from competition.data.pseudo import PseudoFacts
from competition.errors import CompError, RefusedError
from competition.experiments import rules
from competition.experiments.request import RunRequest, submit
from competition.experiments.resolve import Source
from competition.paths import Paths
from competition.store import experiments
from competition.store.engine import open_store
from competition.store.splits import SplitVersion

SPLIT = SplitVersion(2, "f" * 16, "kfold", 3, None, 42, "hash", 0.0)


def ask(root: Path, request: RunRequest, *, built: list[Config]) -> None:
    """Submit a request; `built` gets the configurations whose models would be built."""
    paths = Paths(root)
    store = open_store(paths)
    try:
        submit(store, read_settings(paths.competition), request, check_model=built.append)
    finally:
        store.close()


def test_all_broken_rules_are_named_at_once(ready: Path) -> None:
    """Whether they are about the request, about files or about the database; the expensive check waits."""
    built: list[Config] = []
    ask(ready, RunRequest("ann", name="plain"), built=built)
    request = RunRequest(
        "ann",
        name="plain",
        folds=(0, 7, 8),
        assignments=(
            "loss.class_weights=[1, 2]",
            "augment.cutout_mask=void",
            "model.weights=experiment:plain",
            "data.pseudo=nothing",
            "model.target=nowhere:build",
        ),
    )
    with pytest.raises(RefusedError) as caught:
        ask(ready, request, built=built)
    assert len(built) == 1  # that of the first request
    lines = str(caught.value).splitlines()
    assert lines[0] == "7 problems:"
    numbered = [line for line in lines if re.match(r"\d+\. ", line)]
    for line, text in zip(
        numbered,
        [
            "1. model.target nowhere:build: there is no module 'nowhere'",
            "2. There is no set of pseudo-labels 'nothing'.",
            "3. There is no fold 7, 8: the split has folds 0 to 1.",
            "4. 5 conditions at once",
            "5. augment.cutout_mask: keep -> void would change nothing: augment.cutout is 0.",
            "6. loss.class_weights has 2 weights, and the competition has 3 classes",
            "7. model.weights=experiment:plain: plain has no model of fold 0, 1.",
        ],
        strict=True,
    ):
        assert line.startswith(text)
    assert "   `comp run plain` trains what is missing." in lines
    assert [problem.message.split()[0] for problem in caught.value.parts][:2] == ["model.target", "There"]


def test_a_single_problem_stays_as_it_is(ready: Path) -> None:
    built: list[Config] = []
    ask(ready, RunRequest("ann", name="plain"), built=built)
    with pytest.raises(RefusedError) as caught:
        ask(ready, RunRequest("ann", name="plain", assignments=("seed=1",)), built=built)
    assert caught.value.message == "There is an experiment 'plain' already, with another configuration."
    assert caught.value.parts == ()
    assert len(built) == 1
    store = open_store(Paths(ready))
    assert experiments.names(store) == ["plain"]
    store.close()


def test_two_conditions_need_a_reason() -> None:
    two = (Condition("a.b", 1, 2), Condition("c", 3, 4))
    problem = rules.one_condition(two, reason=None)
    assert str(problem).startswith("2 conditions at once")
    assert "--together" in str(problem)
    assert rules.one_condition(two, reason="they only make sense together") is None
    assert rules.one_condition(two[:1], reason=None) is None


def test_a_split_is_of_the_data_as_it_is_now() -> None:
    assert rules.split_of_this_data(SPLIT, SPLIT.fingerprint) is None
    assert "indexed again after split v2" in str(rules.split_of_this_data(SPLIT, "0" * 16))


def test_models_come_from_the_same_split_and_from_every_fold() -> None:
    good, older = Source("b1", 2, ()), Source("b1", 1, ())
    assert rules.source_on_this_split(good, 2) is None
    assert rules.source_on_this_split(None, 2) is None
    assert "trained on split v1, and this is v2: its models have seen" in str(rules.source_on_this_split(older, 2))
    assert rules.source_with_all_folds(good) is None
    assert "has no model of fold 0, 2" in str(rules.source_with_all_folds(Source("b1", 2, (0, 2))))


@pytest.mark.parametrize("change", [{"split_hash": "other"}, {"fingerprint": "0" * 16}, {"classes": ("a",)}])
def test_pseudo_labels_come_from_this_split_and_these_classes(change: dict[str, object]) -> None:
    facts = {"fingerprint": SPLIT.fingerprint, "split_hash": SPLIT.hash, "classes": ("a", "b")}
    common = {"source": "b1", "members": ("b1",), "threshold": 0.5, "folds": ("x",)}
    config = with_overrides(Config(), ["data.pseudo=p1"])

    def problem(**changed: object) -> CompError | None:
        labels = PseudoFacts(**{**facts, **common, **changed})  # type: ignore[arg-type]
        return rules.labels_of_this_split(config, labels, SPLIT, ("a", "b"))

    assert problem() is None
    assert "data.pseudo=p1: the models that gave these labels ran on other data" in str(problem(**change))


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
        (condition,) = conditions_between(base, changed)
        problem = rules.has_effect(condition, base, changed)
        assert problem is None if needed else "would change nothing" in str(problem)


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
    (condition,) = conditions_between(base, changed)
    problem = rules.has_effect(condition, base, changed)
    if works:
        assert problem is None
    else:
        assert re.search(r"would change nothing: (data\.size is 256x256|mix\.stop_epochs=20)", str(problem))
