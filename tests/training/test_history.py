from pathlib import Path

import pytest

from competition.training import history
from competition.training.history import Row, best_row, patience_is_over

NAN = float("nan")


def test_one_line_per_epoch(tmp_path: Path) -> None:
    row = Row(epoch=1, train_loss=1.23456789, score=0.5, lr=1e-3, seconds=12.0, images_per_s=8.25)
    history.write(tmp_path / "history.csv", [row])
    assert (tmp_path / "history.csv").read_text() == (
        "epoch,train_loss,score,lr,seconds,images_per_s\n1,1.23457,0.5,0.001,12,8.25\n"
    )
    line = "epoch 1/3: loss 1.2346, score 0.5000, lr 0.001, 8.2 images/s, 812 MiB"
    assert row.log_line(3, memory_mib=812) == line


def rows(*scores: float) -> list[Row]:
    return [Row(number, 1.0, score, 1.0, 1.0, 1.0) for number, score in enumerate(scores, start=1)]


@pytest.mark.parametrize(
    ("scores", "epoch"), [((0.1, 0.3, 0.2), 2), ((0.3, 0.3), 1), ((NAN, 0.1), 2), ((0.1, NAN), 1), ((NAN, NAN), 1)]
)
def test_the_best_epoch(scores: tuple[float, ...], epoch: int) -> None:
    assert best_row(rows(*scores)).epoch == epoch


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
    assert patience_is_over(rows(*scores), patience=patience) is stopped
