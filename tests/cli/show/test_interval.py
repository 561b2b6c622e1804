import pytest

from competition.cli.show.interval import WIDTH, bar


@pytest.mark.parametrize(
    ("low", "middle", "high", "drawn"),
    [
        (-0.06, 0.0, 0.06, "├─────●─────┤"),
        (0.02, 0.04, 0.06, "      │ ├─●─┤"),
        (-0.06, -0.04, -0.02, "├─●─┤ │      "),
        (-0.01, 0.01, 0.03, "     ├┼●─┤   "),
        (0.001, 0.002, 0.003, "      │●     "),
        (-0.003, -0.002, -0.001, "     ●│      "),
    ],
)
def test_bars(low: float, middle: float, high: float, drawn: str) -> None:
    made = bar(low, middle, high, scale=0.06)
    assert made == drawn
    assert len(made) == WIDTH


def test_a_scale_of_nothing_draws_a_dot_at_zero() -> None:
    assert bar(0.0, 0.0, 0.0, scale=0.0) == "      ●      "
