"""What verdicts are worth, on runs whose truth is known; tests/benchmarks/bench_verdicts.py prints more of it."""

import pytest

from tests.scoring.planting import Planted, rates


@pytest.mark.slow
@pytest.mark.parametrize(("seed_sd", "image_only"), [(0.0, 0.05), (0.0035, 0.15), (0.006, 0.29)])
def test_another_seed_alone_is_rarely_called_a_difference(seed_sd: float, image_only: float) -> None:
    """2,000 comparisons of a configuration with itself; an image-only test errs as often as theory says, 5 to 29 %."""
    found = rates(Planted(seed_sd=seed_sd), seeds=5, gain=0.0, comparisons=2000, draws=400, seed=0)
    print(f"\nA/A, seed SD {100 * seed_sd:.2f} points: image-only {found.image_only:.1%}, comp {found.comp:.1%}")
    assert found.image_only == pytest.approx(image_only, abs=0.02)
    assert found.comp <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("seed_sd", [0.0, 0.0035, 0.006])
def test_a_gain_of_two_standard_errors_is_found_half_the_time(seed_sd: float) -> None:
    """Half is all that any test of this level can find; a seed deviation from few seeds costs some of it."""
    planted = Planted(seed_sd=seed_sd)
    found = rates(planted, seeds=None, gain=2 * planted.se, comparisons=3000, draws=400, seed=0)
    print(f"\ngain of 2 SE, seed SD {100 * seed_sd:.2f} points: found {found.comp:.1%}")
    assert found.comp >= 0.5
