"""Which experiment is good at which class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from competition.experiments.leaderboard import LeaderboardRow


@dataclass(frozen=True)
class Cell:
    """An IoU, a fraction (None: the class occurs nowhere), and how far it is from the class's median.

    `shade` is that distance in percent of the largest one in the map, -100 to 100.
    """

    iou: float | None
    shade: int


@dataclass(frozen=True)
class HeatMap:
    """Experiments by classes; `most` is the largest distance from a class's median, a fraction."""

    classes: tuple[str, ...]
    rows: tuple[tuple[LeaderboardRow, tuple[Cell, ...]], ...]
    most: float


def heat_map(
    classes: Sequence[str], rows: Sequence[LeaderboardRow], ious: Mapping[str, Sequence[float | None]]
) -> HeatMap | None:
    """The map of the ranked experiments, best first; None before the first one."""
    found = [(row, ious[row.name]) for row in rows if row.rank and len(ious.get(row.name, ())) == len(classes)]
    if not found:
        return None
    medians = [_median([values[place] for _, values in found]) for place in range(len(classes))]
    gaps = [[None if v is None else v - m for v, m in zip(values, medians, strict=True)] for _, values in found]
    most = max((abs(gap) for line in gaps for gap in line if gap is not None), default=0.0)
    cells = [
        tuple(
            Cell(value, round(100 * gap / most) if gap and most else 0) for value, gap in zip(values, line, strict=True)
        )
        for (_, values), line in zip(found, gaps, strict=True)
    ]
    return HeatMap(tuple(classes), tuple(zip([row for row, _ in found], cells, strict=True)), most)


def _median(values: Sequence[float | None]) -> float:
    return median([v for v in values if v is not None] or [0.0])
