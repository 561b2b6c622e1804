import numpy as np
import pytest

from competition.data.eda.classes import class_facts, co_occurrence
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
