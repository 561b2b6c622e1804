import math

import pytest
from scipy import stats

from competition.scoring.verdicts import Call, Effect, SeedBand, corrected_t, holm, judge, p_value


def effect(
    delta: float, *, images: float = 0.003, sd: float = 0.004, df: float = 10, runs: tuple[int, int] = (1, 1)
) -> Effect:
    return Effect(delta, images, units=101, runs=runs, band=SeedBand(sd, 0.0, df))


def test_images_and_seeds_add_up_in_variance() -> None:
    """0.003² + 2 x 0.004² = 41e-6; df = 41e-6² / (0.003⁴ / 100 + (2 x 0.004²)² / 10) = 1681 / 103.21 = 16.287."""
    found = effect(0.01)
    assert found.se == pytest.approx(math.sqrt(41e-6))
    assert found.df == pytest.approx(16.287, abs=1e-3)
    verdict = judge(found)
    assert verdict.p == pytest.approx(2 * stats.t.sf(0.01 / found.se, found.df))
    assert verdict.low == pytest.approx(0.01 - stats.t.ppf(0.975, found.df) * found.se)
    assert verdict.high == pytest.approx(0.01 + stats.t.ppf(0.975, found.df) * found.se)
    assert verdict.detectable == pytest.approx((stats.t.ppf(0.975, found.df) + stats.t.ppf(0.8, found.df)) * found.se)


def test_the_same_models_owe_nothing_to_a_seed() -> None:
    """0.003 from 101 images alone, whatever a seed does and whether anybody knows it."""
    found = Effect(0.007, 0.003, units=101, runs=(1, 1), band=None, same_models=True)
    assert (found.seeds_known, found.se_seeds, found.se, found.df) == (True, 0, 0.003, 100)
    verdict = judge(found)
    assert verdict.call is Call.BETTER
    assert verdict.low == pytest.approx(0.007 - stats.t.ppf(0.975, 100) * 0.003)
    small = judge(Effect(0.004, 0.003, units=101, runs=(1, 1), band=None, same_models=True))
    assert (small.call, small.seeds_wanted) == (Call.TIE, None)  # no number of seeds would tell


def test_more_runs_of_each_shrink_what_seeds_do() -> None:
    assert effect(0.01, runs=(5, 5)).se_seeds == pytest.approx(0.004 * math.sqrt(2 / 5))
    assert effect(0.01, runs=(1, 5)).se_seeds == pytest.approx(0.004 * math.sqrt(6 / 5))


@pytest.mark.parametrize(("delta", "call"), [(0.03, Call.BETTER), (-0.03, Call.WORSE), (0.0, Call.TIE)])
def test_the_sign_decides_what_lies_outside_and_nothing_is_a_tie(delta: float, call: Call) -> None:
    assert judge(effect(delta)).call is call


def test_more_seeds_are_wanted_where_they_would_tell() -> None:
    """With two runs of each the error is sqrt(0.003² + 0.004²) = 0.005; t at 16.2 degrees is 2.12: 0.0106 < 0.011."""
    verdict = judge(effect(0.011))
    assert (verdict.call, verdict.seeds_wanted) == (Call.NEEDS_SEEDS, 2)


def test_it_is_a_tie_where_even_five_seeds_would_not_tell() -> None:
    """Five runs of each leave sqrt(0.003² + 2 x 0.004² / 5) = 0.0039, and 2.12 of it is 0.0083."""
    assert judge(effect(0.008)).call is Call.TIE
    assert judge(effect(0.0086)).seeds_wanted == 5
    assert judge(effect(0.0086, runs=(5, 5))).call is not Call.NEEDS_SEEDS


def test_what_single_images_owe_to_the_seed_shrinks_with_seeds_too() -> None:
    """All of the images' error is chance of the seed: 0.003² = 2 x 0.0021213²."""
    band = SeedBand(0.0021213, 0.0021213, 50)
    found = Effect(0.0045, 0.003, units=101, runs=(1, 1), band=band)
    assert found.se == pytest.approx(0.003)
    assert found.se_with(4) == pytest.approx(0.0015, rel=1e-4)
    assert judge(found).seeds_wanted == 2


@pytest.mark.parametrize("band", [None, SeedBand(0.0, 0.0, 1)])
def test_without_a_seed_deviation_nothing_is_claimed(band: SeedBand | None) -> None:
    found = Effect(0.5, 0.0001, units=1000, runs=(1, 1), band=band)
    verdict = judge(found)
    assert verdict.call is Call.NEEDS_SEEDS
    assert (verdict.low, verdict.high, verdict.p, verdict.detectable) == (None, None, None, None)
    assert p_value(found) is None


def test_one_group_cannot_tell_anything_apart() -> None:
    found = Effect(0.5, math.nan, units=1, runs=(3, 3), band=SeedBand(0.01, 0.0, 4))
    assert judge(found).call is Call.TIE
    assert p_value(found) is None


def test_runs_that_never_differ_are_a_tie_and_a_sure_difference_is_called() -> None:
    still = SeedBand(0.0, 0.0, 4)
    assert judge(Effect(0.0, 0.0, 10, (3, 3), still)).call is Call.TIE
    assert judge(Effect(0.01, 0.0, 10, (3, 3), still)).call is Call.BETTER


def test_holm_by_hand() -> None:
    """m = 4: 0.01 meets 0.05 / 4, 0.02 does not meet 0.05 / 3, and the rest have to meet no more than that."""
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.05 / 3, 0.05 / 4, 0.05 / 3, 0.05 / 3])
    assert holm([0.001, 0.002, 0.003]) == pytest.approx([0.05 / 3, 0.05 / 2, 0.05])
    assert holm([]) == []


def test_a_family_raises_the_bar() -> None:
    found = effect(0.0155)
    assert judge(found).call is Call.BETTER
    assert judge(found, level=0.05 / 20).call is not Call.BETTER


def test_folds_that_share_training_images_by_hand() -> None:
    """Differences 0.01, 0.02, 0.03: mean 0.02, s = 0.01, se = sqrt(1/3 + 1/2) x 0.01, two degrees of freedom."""
    found = corrected_t([0.01, 0.02, 0.03])
    assert found is not None
    assert found.delta == pytest.approx(0.02)
    assert found.se == pytest.approx(0.0091287, rel=1e-4)
    assert found.p == pytest.approx(2 * stats.t.sf(0.02 / 0.0091287, 2), rel=1e-4)
    assert found.low == pytest.approx(0.02 - stats.t.ppf(0.975, 2) * 0.0091287, rel=1e-3)
    assert corrected_t([0.01]) is None
