"""CV against the public score, drawn."""

from markupsafe import Markup

from competition.report import charts
from competition.report.charts import Point
from competition.submission.public_board import PublicBoard, Standing
from competition.wording import percent


def scatter_of(board: PublicBoard) -> Markup:
    """A dot for each submission, in percent; its whisker is one standard error of the public score."""
    points = [
        Point(
            x=100 * standing.cv,
            y=100 * standing.public,
            label=str(standing.submission.id),
            title=_title(standing),
            error=None if standing.error is None else 100 * standing.error,
        )
        for standing in board.standings
    ]
    gap = 100 * board.gap[0] if board.gap else None
    label = "public score by CV score, a dot for each submission"
    return charts.scatter(points, label=label, axes=("CV, %", "public, %"), slope_gap=gap)


def _title(standing: Standing) -> str:
    submission = standing.submission
    return f"{submission.id} {submission.source}: CV {percent(standing.cv)}, public {percent(standing.public)}"
