import pytest
from scipy import stats

from competition.scoring import student


@pytest.mark.parametrize("df", [1, 1.3, 2, 3.7, 10, 39.2, 500, 1e6])
@pytest.mark.parametrize("t", [0.0, 1e-6, 0.3, 1.0, 1.96, 4.0, 30.0])
def test_the_tails_are_those_of_scipy(df: float, t: float) -> None:
    assert student.two_sided_p(t, df) == pytest.approx(2 * stats.t.sf(t, df), rel=1e-8, abs=1e-300)
    assert student.two_sided_p(-t, df) == student.two_sided_p(t, df)


@pytest.mark.parametrize("df", [1, 1.3, 2, 3.7, 10, 39.2, 500, 1e6])
@pytest.mark.parametrize("probability", [0.5, 0.6, 0.8, 0.975, 0.995, 0.99999])
def test_the_quantiles_are_those_of_scipy(df: float, probability: float) -> None:
    assert student.quantile(probability, df) == pytest.approx(stats.t.ppf(probability, df), rel=1e-7, abs=1e-9)


def test_nothing_lies_beyond_infinity() -> None:
    assert student.two_sided_p(float("inf"), 3) == 0
