"""Learning curves of many experiments, on shared axes so that they can be compared by eye."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from competition.experiments.leaderboard import LeaderboardRow
from competition.paths import Paths
from competition.report import charts
from competition.report.charts import Line

MOST = 24
"""Number of experiments that are drawn: those in progress, then the best."""


@dataclass(frozen=True)
class Curves:
    """An experiment and its two charts; a line is a fold job."""

    row: LeaderboardRow
    score: Markup
    loss: Markup


@dataclass(frozen=True)
class _Read:
    row: LeaderboardRow
    scores: list[Line]
    losses: list[Line]


def learning_curves(paths: Paths, rows: Sequence[LeaderboardRow], most: int = MOST) -> list[Curves]:
    """The curves of the experiments that have trained: those without a rank first, then the best."""
    order = [*(r for r in rows if r.rank is None), *(r for r in rows if r.rank)]
    read: list[_Read] = []
    for row in order:
        if len(read) < most and (found := _read(paths, row)):
            read.append(found)
    if not read:
        return []
    epochs = (1.0, max(2.0, *(x for each in read for line in each.losses for x, _ in line)))
    score = charts.padded([y for each in read for line in each.scores for _, y in line])
    loss = charts.padded([y for each in read for line in each.losses for _, y in line])
    return [
        Curves(
            each.row,
            charts.lines(each.scores, x=epochs, y=score, label=f"{each.row.name}: validation score by epoch, %"),
            charts.lines(
                each.losses, x=epochs, y=loss, label=f"{each.row.name}: training loss by epoch", tone="second"
            ),
        )
        for each in read
    ]


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows of a history.csv, one per epoch; none if there is no such file."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def _read(paths: Paths, row: LeaderboardRow) -> _Read | None:
    histories = [rows for job in paths.fold_jobs(row.name) if (rows := read_history(job.history))]
    if not histories:
        return None
    scores: list[Line] = [[(epoch["epoch"], 100 * epoch["score"]) for epoch in rows] for rows in histories]
    losses: list[Line] = [[(epoch["epoch"], epoch["train_loss"]) for epoch in rows] for rows in histories]
    return _Read(row, scores, losses)
