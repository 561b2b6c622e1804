import numpy as np
import pytest

from competition.data.eda.drift import measure_drift

NAMES = ("colour", "light")


def normal(number: int, seed: int, shift: float = 0.0) -> np.ndarray:
    features = np.random.default_rng(seed).normal(0, 1, (number, 2))
    features[:, 1] += shift
    return features


def test_the_same_distribution_cannot_be_told_apart() -> None:
    found = measure_drift(normal(120, 0), normal(120, 1), groups=[""] * 120, names=NAMES, seed=0)
    assert found is not None
    assert found.auc == pytest.approx(0.5, abs=0.12)
    assert found.verdict == "test images look like training images"


def test_a_shift_is_seen_and_named() -> None:
    found = measure_drift(normal(60, 0), normal(60, 1, shift=5), groups=[""] * 60, names=NAMES, seed=0)
    assert found is not None
    assert found.auc > 0.95
    assert found.features[0].feature == "light"
    assert found.features[0].test_median - found.features[0].train_median == pytest.approx(5, abs=0.7)
    assert found.verdict == "test images look clearly different"


def test_knowing_a_training_group_is_no_help() -> None:
    """Every group has a look of its own; those that are held out look like nothing that was seen."""
    generator = np.random.default_rng(0)
    train = np.repeat(generator.normal(0, 1, (12, 2)), 10, axis=0)
    test = np.repeat(generator.normal(0, 1, (12, 2)), 10, axis=0)
    found = measure_drift(train, test, groups=[f"g{n // 10}" for n in range(120)], names=NAMES, seed=0)
    assert found is not None
    assert found.auc < 0.8


@pytest.mark.parametrize("groups", [["all"] * 40, ["a"] * 39 + ["b"]])
def test_lopsided_groups_are_no_obstacle(groups: list[str]) -> None:
    assert measure_drift(normal(40, 0), normal(40, 1), groups=groups, names=NAMES, seed=0) is not None


def test_too_few_images_say_nothing() -> None:
    assert measure_drift(normal(60, 0), normal(5, 1), groups=[""] * 60, names=NAMES, seed=0) is None
