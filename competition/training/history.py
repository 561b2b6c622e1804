"""The history of a job: one row per epoch, and the decisions that follow from the rows alone."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from competition.files import write_text


@dataclass(frozen=True)
class Row:
    """One epoch. The loss is a mean over the epoch's images; the score is a fraction, over the validation pixels.

    Args:
        epoch: from 1.
        lr: learning rate of the epoch's last step.
        seconds: spent training, without validation.
    """

    epoch: int
    train_loss: float
    score: float
    lr: float
    seconds: float
    images_per_s: float

    def log_line(self, epochs: int, *, memory_mib: int) -> str:
        """One line for the log of a job with that many epochs."""
        return (
            f"epoch {self.epoch}/{epochs}: loss {self.train_loss:.4f}, score {self.score:.4f}, lr {self.lr:.2g}, "
            f"{self.images_per_s:.1f} images/s, {memory_mib} MiB"
        )


def best_row(rows: Sequence[Row]) -> Row:
    """The epoch with the highest validation score: the earliest of equal ones, one without a score last."""
    return max(rows, key=lambda row: -math.inf if math.isnan(row.score) else row.score)


def patience_is_over(rows: Sequence[Row], *, patience: int) -> bool:
    """Say if the last `patience` epochs did not beat the best score before them; 0 means endless patience."""
    return bool(patience and rows) and rows[-1].epoch - best_row(rows).epoch >= patience


def write(path: Path, rows: Sequence[Row]) -> None:
    """Write the rows as CSV, one per epoch."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(field.name for field in fields(Row))
    for row in rows:
        table.writerow(f"{value:.6g}" if isinstance(value, float) else value for value in astuple(row))
    write_text(path, text.getvalue())
