"""Which epoch's model a job keeps, and when it has seen enough: functions of the finished epochs alone."""

import math
from collections.abc import Sequence

from competition.training.history import Row


def best(rows: Sequence[Row]) -> Row:
    """The epoch with the highest score on the validation fold, the earliest of equals; one without a score is worst."""
    return max(rows, key=lambda row: -math.inf if math.isnan(row.score) else row.score)


def has_stopped(rows: Sequence[Row], *, patience: int) -> bool:
    """Whether the last `patience` epochs have not beaten the best score before them; never for a patience of 0."""
    return bool(patience and rows) and rows[-1].epoch - best(rows).epoch >= patience
