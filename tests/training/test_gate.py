import pytest

from competition.lifecycle import JobKind
from competition.training import gate
from competition.training.checkpoint import Position
from competition.training.failures import GateError, NotFiniteError
from competition.training.history import Row
from tests.training.conftest import Specs, run


def position(*means: float, rise: float = 1.0) -> Position:
    rows = [Row(number, mean, 0.0, 1.0, 1.0, 1.0) for number, mean in enumerate(means, start=1)]
    return Position(untrained=[1.0, 3.0], worst_rise=rise, rows=rows)


@pytest.mark.parametrize(
    ("at", "after", "complaint"),
    [
        (position(1.0, 0.99), [1.5, 2.4], None),
        (position(1.0, 0.99, rise=1.2), [0.0, 3.9], None),
        (position(1.0, 1.0), [0.5, 0.5], "1.0000 in epoch 1, 1.0000 in the last"),
        (position(1.0, 1.1), [0.5, 0.5], "1.0000 in epoch 1, 1.1000 in the last"),
        (position(1.0, 0.5, rise=1.6), [0.5, 0.5], "the loss of one batch was 1.6 times as high"),
        (position(1.0, 0.5), [2.0, 2.0], "2.0000 before the first step and 2.0000 after the last"),
        (position(1.0, float("nan")), [0.5, 0.5], "nan in the last"),
        (position(1.0, 0.5), [float("nan"), 0.5], "nan after the last"),
    ],
)
def test_what_passes(at: Position, after: list[float], complaint: str | None) -> None:
    if complaint is None:
        gate.check(at, after)
        return
    with pytest.raises(GateError, match=complaint):
        gate.check(at, after)


LARGER = "data.size=64x64"
"""At 32x32 the last feature maps are single pixels, and batch normalisation over four of them is mostly noise."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("lr", ["1e-4", "3e-3"])
def test_healthy_learning_rates_pass(lr: str, seed: int, spec_of: Specs) -> None:
    done = run(spec_of(LARGER, f"optimizer.lr={lr}", f"seed={seed}", kind=JobKind.DEBUG))
    assert done.last_loss < done.first_loss


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("lr", ["0.3", "3"])
def test_absurd_learning_rates_fail(lr: str, seed: int, spec_of: Specs) -> None:
    with pytest.raises((GateError, NotFiniteError)):
        run(spec_of(LARGER, f"optimizer.lr={lr}", f"seed={seed}", kind=JobKind.DEBUG))
