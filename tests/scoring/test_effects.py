import math

import pytest
from scipy import stats

from competition.scoring.effects import pool
from competition.scoring.verdicts import Call, Effect, SeedBand

BAND = SeedBand(0.003, 0.0, 8)


def effect(delta: float, *, band: SeedBand | None = BAND) -> Effect:
    return Effect(delta, 0.002, units=101, runs=(1, 1), band=band)


def test_one_parent_is_the_comparison_itself() -> None:
    pooled = pool([effect(0.01)])
    assert pooled.se == pytest.approx(effect(0.01).se)
    assert pooled.df == pytest.approx(effect(0.01).df)
    assert pooled.half == pytest.approx(stats.t.ppf(0.975, pooled.df) * effect(0.01).se)


def test_parents_that_agree_share_the_images_and_not_the_seeds() -> None:
    """Two equal effects: images stay at 0.002², seeds are 2 x 0.003² / 2; nothing is left between parents."""
    pooled = pool([effect(0.01), effect(0.01)])
    assert pooled.delta == pytest.approx(0.01)
    assert pooled.se == pytest.approx(math.sqrt(0.002**2 + 0.003**2))


def test_parents_that_disagree_widen_the_interval() -> None:
    """Effects 0.00 and 0.04: s² = 8e-4, of which seeds explain 2 x 0.003² = 1.8e-5."""
    pooled = pool([effect(0.0), effect(0.04)])
    assert pooled.se == pytest.approx(math.sqrt(0.002**2 + (1.8e-5 + 8e-4 - 1.8e-5) / 2))
    assert pooled.call() is Call.TIE


def test_calls() -> None:
    assert pool([effect(0.03)]).call() is Call.BETTER
    assert pool([effect(-0.03)]).call() is Call.WORSE
    assert pool([effect(0.03)]).call(level=1e-6) is Call.TIE
    unknown = pool([effect(0.03), effect(0.03, band=None)])
    assert (unknown.call(), unknown.se, unknown.half, unknown.p) == (Call.NEEDS_SEEDS, None, None, None)
