import math

import pytest

from competition.config.optimisation import ScheduleConfig
from competition.training.schedule import learning_rate_factor, plateau_factor


def factors(name: str, *, warmup_epochs: float, steps: int = 8, steps_per_epoch: int = 2) -> list[float]:
    config = ScheduleConfig.model_validate({"name": name, "warmup_epochs": warmup_epochs})
    return [learning_rate_factor(config, s, steps=steps, steps_per_epoch=steps_per_epoch) for s in range(steps)]


def test_cosine_by_hand() -> None:
    expected = [0.5, 1.0, *((1 + math.cos(math.pi * k / 6)) / 2 for k in range(6))]
    assert factors("cosine", warmup_epochs=1.0) == pytest.approx(expected)


def test_linear_by_hand() -> None:
    assert factors("linear", warmup_epochs=0.0) == pytest.approx([1 - k / 8 for k in range(8)])


def test_constant_stays_at_the_peak_after_the_warm_up() -> None:
    assert factors("constant", warmup_epochs=1.0) == [0.5, 1.0, 1, 1, 1, 1, 1, 1]


def test_warm_up_takes_at_most_half_of_the_run() -> None:
    assert factors("constant", warmup_epochs=100.0) == [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]


def test_a_run_of_one_step_is_at_the_peak() -> None:
    assert factors("cosine", warmup_epochs=1.0, steps=1, steps_per_epoch=1) == [1.0]


def test_poly_by_hand() -> None:
    assert factors("poly", warmup_epochs=0.0) == pytest.approx([(1 - k / 8) ** 0.9 for k in range(8)])


def test_one_cycle_by_hand() -> None:
    """Ten steps: three up from a 25th, seven down; a warm-up of its own would be one too many."""
    rates = factors("one-cycle", warmup_epochs=5.0, steps=10)
    up = [1 - (1 - 1 / 25) * (1 + math.cos(math.pi * k / 3)) / 2 for k in range(3)]
    down = [1 / 25e4 + (1 - 1 / 25e4) * (1 + math.cos(math.pi * k / 7)) / 2 for k in range(7)]
    assert rates == pytest.approx([*up, *down])
    assert rates[0] == pytest.approx(1 / 25)
    assert rates[3] == 1.0


def test_plateau_warms_up_like_the_others() -> None:
    assert factors("plateau", warmup_epochs=1.0) == [0.5, 1.0, 1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("losses", "factor"),
    [
        ([], 1.0),
        ([3.0, 2.0, 1.0], 1.0),
        ([1.0, 1.0], 1.0),
        ([1.0, 1.0, 1.0], 0.1),
        ([1.0, 1.1, 0.9, 0.9, 0.8], 1.0),
        ([1.0, 1.1, 1.2, 1.3], 0.1),
        ([1.0, 1.1, 1.2, 1.3, 1.0], 0.01),
    ],
)
def test_plateau_divides_by_ten_after_two_epochs_without_a_lower_loss(losses: list[float], factor: float) -> None:
    config = ScheduleConfig(name="plateau", plateau_patience=2)
    assert plateau_factor(config, losses) == pytest.approx(factor)
    assert plateau_factor(ScheduleConfig(name="cosine"), losses) == 1.0
