from collections.abc import Callable, Sequence

import numpy as np
import pytest

from competition.data.eda.classes import (
    ClassFacts,
    Floats,
    class_facts,
    co_occurrence,
    inverse_frequency,
    median_frequency,
)
from competition.data.manifest import Manifest
from tests.data.eda.making import item

MANIFEST = Manifest((item("a", 6, 2, 0), item("b", 4, 0, 0, void=6), item("c", 0, 8, 0)))
"""Twenty pixels that count: ten of class 0, ten of class 1, none of class 2."""


def test_shares_by_hand() -> None:
    sky, road, never = class_facts(MANIFEST, ["sky", "road", "never"])
    assert (sky.name, sky.pixels, sky.images) == ("sky", 10, 2)
    assert sky.share == pytest.approx(10 / 20)
    assert sky.share_where_present == pytest.approx(10 / 12)
    assert road.share_where_present == pytest.approx(10 / 16)
    assert (never.pixels, never.share, never.images, never.share_where_present) == (0, 0, 0, 0)


def test_co_occurrence_by_hand() -> None:
    np.testing.assert_allclose(co_occurrence(MANIFEST, 3), [[1, 0.5, 0], [0.5, 1, 0], [np.nan] * 3])


def test_median_frequency_is_the_median_over_the_share() -> None:
    facts = class_facts(Manifest((item("a", 80, 16, 4, 0),)), ["road", "tree", "pole", "never"])
    np.testing.assert_allclose(median_frequency(facts), [0.16 / 0.8, 1.0, 0.16 / 0.04, 1.0])


def test_inverse_frequency_is_the_equal_share_over_the_share() -> None:
    facts = class_facts(Manifest((item("a", 80, 16, 4, 0),)), ["road", "tree", "pole", "never"])
    np.testing.assert_allclose(inverse_frequency(facts), [1 / 2.4, 1 / 0.48, 1 / 0.12, 1.0])


@pytest.mark.parametrize("weigh", [median_frequency, inverse_frequency])
def test_weights_stay_within_bounds(weigh: Callable[[Sequence[ClassFacts]], Floats]) -> None:
    facts = class_facts(Manifest((item("a", 100_000, 100, 1),)), ["a", "b", "c"])
    assert weigh(facts)[2] == 10.0
    assert weigh(facts)[0] >= 0.1
