"""One row per epoch: what the job learned and what it cost."""

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from competition.files import write_text


@dataclass(frozen=True)
class Row:
    """An epoch. Losses are means over the epoch's images; the score is a fraction, over the validation pixels.

    Args:
        epoch: from 1.
        lr: learning rate of the epoch's last step.
        seconds: spent training, validation not included.
    """

    epoch: int
    train_loss: float
    score: float
    lr: float
    seconds: float
    images_per_s: float

    def sentence(self, epochs: int, *, memory_mib: int) -> str:
        """For the log."""
        return (
            f"epoch {self.epoch}/{epochs}: loss {self.train_loss:.4f}, score {self.score:.4f}, lr {self.lr:.2g}, "
            f"{self.images_per_s:.1f} images/s, {memory_mib} MiB"
        )


def write(path: Path, rows: Sequence[Row]) -> None:
    """Write the rows as CSV."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(field.name for field in fields(Row))
    for row in rows:
        table.writerow(f"{value:.6g}" if isinstance(value, float) else value for value in astuple(row))
    write_text(path, text.getvalue())
