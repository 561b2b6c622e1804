import pytest

from competition.training import selection
from competition.training.history import Row

NAN = float("nan")


def rows(*scores: float) -> list[Row]:
    return [Row(number, 1.0, score, 1.0, 1.0, 1.0) for number, score in enumerate(scores, start=1)]


@pytest.mark.parametrize(
    ("scores", "epoch"), [((0.1, 0.3, 0.2), 2), ((0.3, 0.3), 1), ((NAN, 0.1), 2), ((0.1, NAN), 1), ((NAN, NAN), 1)]
)
def test_the_best_epoch(scores: tuple[float, ...], epoch: int) -> None:
    assert selection.best(rows(*scores)).epoch == epoch


@pytest.mark.parametrize(
    ("scores", "patience", "stopped"),
    [
        ((), 1, False),
        ((0.5, 0.4), 0, False),
        ((0.5, 0.4), 1, True),
        ((0.5, 0.4), 2, False),
        ((0.5, 0.4, 0.5), 2, True),
        ((0.5, 0.4, 0.6), 2, False),
    ],
)
def test_when_a_job_has_seen_enough(scores: tuple[float, ...], patience: int, stopped: bool) -> None:
    assert selection.has_stopped(rows(*scores), patience=patience) is stopped
