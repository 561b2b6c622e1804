"""The team's page: leaderboard, lineages, curves, classes, public board, blends, data, ideas, people, history."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from PIL import Image

from competition import __version__
from competition.config.settings import Settings
from competition.experiments.leaderboard import LeaderboardRow, leaderboard
from competition.experiments.lineages import lineages
from competition.experiments.team_state import team_state
from competition.files import write_text
from competition.lifecycle import JobState
from competition.paths import Paths
from competition.report import charts
from competition.report.heatmap import heat_map
from competition.report.learning import learning_curves
from competition.report.overlay import thumbnail_uri
from competition.report.pages import render
from competition.scoring.verdicts import Call
from competition.store import ensembles, events, ideas, members, scores, splits, submissions
from competition.store.engine import Store
from competition.store.ensembles import Ensemble
from competition.store.queue import jobs
from competition.store.submissions import Submission
from competition.store.workload import workloads
from competition.submission.public_board import PublicBoard, Standing, climb_warning, facts, public_board
from competition.team.next_steps import next_steps
from competition.wording import Fact, percent, verdict_notes

MOST_EVENTS = 100


def write_overview(store: Store, settings: Settings) -> Path:
    """Write the page to `paths.report_page`; its path.

    Raises:
        DataError: confusion matrices that the public board needs are damaged.
    """
    page = store.paths.report_page
    write_text(page, overview(store, settings))
    return page


def undrawn(store: Store) -> list[str]:
    """The experiments that are scored and have no pictures: whoever scored them was ended before they were drawn."""
    scored = [row.name for row in leaderboard(store, every_split=True) if row.score is not None]
    return [name for name in scored if not store.paths.gallery(name).is_file()]  # the last that is drawn


def overview(store: Store, settings: Settings, *, live: bool = False) -> str:
    """The page as HTML.

    Args:
        live: for `comp serve`: it looks for a newer one, and has no links to files, which are not served.

    Raises:
        DataError: as `write_overview`.
    """
    paths, every_row = store.paths, leaderboard(store, every_split=True)
    split = splits.current(store)
    rows = [row for row in every_row if split is not None and row.split_version == split.version]
    named = {row.name: row for row in every_row}
    handed_in, blends = submissions.every(store), ensembles.every(store)
    board = _public_board(store, settings, handed_in)
    history = events.history(store, most=MOST_EVENTS)
    values = {
        "rows": rows,
        "scale": _scale(rows),
        "notes": verdict_notes(rows),
        "leaks": next((row.leaks_allowed for row in rows if row.leaks_allowed), None),
        "lineages": lineages(store),
        "learning": learning_curves(paths, rows),
        "heat": heat_map(settings.classes, rows, scores.class_ious(store)),
        "gallery": _gallery(paths, rows),
        "board": board,
        "scatter": _scatter(board) if board else None,
        "board_facts": facts(board) if board else [],
        "climb": climb_warning(board) if board and board.climb else "",
        "submissions": handed_in[::-1],
        "blends": [_blend(paths, blend) for blend in reversed(blends)],
        "data": _read_json(paths.eda_summary),
        "ideas": ideas.every(store),
        "team": _team(store, settings, named),
        "events": history,
    }
    return render(
        "overview.html",
        title=f"{settings.name}: where we stand",
        competition=settings.name,
        metric=str(settings.metric),
        split=split,
        facts=_facts(store, rows, blends, handed_in),
        named=named,
        live=live,
        version=__version__,
        sections=_sections(values),
        **values,
    )


_SECTIONS = (
    ("leaderboard", "Leaderboard", "rows"),
    ("lineage", "Lineage", "lineages"),
    ("curves", "Learning curves", "learning"),
    ("classes", "Classes", "heat"),
    ("images", "Images", "gallery"),
    ("public", "CV and public board", "submissions"),
    ("ensembles", "Ensembles", "blends"),
    ("data", "Data", "data"),
    ("ideas", "Ideas", "ideas"),
    ("team", "Team", "team"),
    ("events", "Events", "events"),
)
"""Anchor, title, and the value without which there is nothing to show."""


def _sections(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The sections that have something to show; the leaderboard always says what there is to do."""
    return [(anchor, title) for anchor, title, needs in _SECTIONS if anchor == "leaderboard" or values[needs]]


def _facts(
    store: Store, rows: Sequence[LeaderboardRow], blends: Sequence[Ensemble], handed_in: Sequence[Submission]
) -> list[Fact]:
    """The numbers at the head of the page."""
    complete = [row for row in rows if row.rank]
    better = sum(row.judged is not None and row.judged.verdict.call is Call.BETTER for row in complete)
    underway = jobs.in_states(store, [state for state in JobState if not state.is_finished])
    running = sum(job.state.is_live for job in underway)
    found = []
    if complete:
        found.append(Fact("best CV", percent(complete[0].score), complete[0].name))
    found.append(Fact("experiments", str(len(rows)), f"{len(complete)} complete, {better} better by verdict"))
    found.append(Fact("jobs running", str(running), f"{len(underway) - running} waiting"))
    current = [blend for blend in blends if rows and blend.split_version == rows[0].split_version]
    if current:
        best = max(current, key=lambda blend: blend.score)
        found.append(Fact("best ensemble", percent(best.score), best.name))
    public = [s for s in handed_in if s.public_score is not None]
    if public:
        leading = max(public, key=lambda s: s.public_score or 0.0)
        found.append(Fact("best public", percent(leading.public_score), f"submission {leading.id}, {leading.source}"))
    return found


def _scale(rows: Sequence[LeaderboardRow]) -> float | None:
    """What the ends of all bars stand for: the farthest end of an interval, half a point at least; None without any."""
    verdicts = [row.judged.verdict for row in rows if row.judged]
    ends = [abs(end) for v in verdicts for end in (v.low, v.high) if end is not None and math.isfinite(end)]
    return max([*ends, 0.005]) if ends else None


def _public_board(store: Store, settings: Settings, handed_in: Sequence[Submission]) -> PublicBoard | None:
    if not any(s.public_score is not None and s.cv is not None for s in handed_in):
        return None
    board = public_board(store, settings)
    return board if board.standings else None


def _scatter(board: PublicBoard) -> Markup:
    """A dot for each submission, in percent; its whisker is one standard error of the public score."""
    points = [
        charts.Point(
            x=100 * standing.cv,
            y=100 * standing.public,
            label=str(standing.submission.id),
            title=_dot_title(standing),
            error=None if standing.error is None else 100 * standing.error,
        )
        for standing in board.standings
    ]
    gap = 100 * board.gap[0] if board.gap else None
    label = "public score by CV score, a dot for each submission"
    return charts.scatter(points, label=label, axes=("CV, %", "public, %"), slope_gap=gap)


def _dot_title(standing: Standing) -> str:
    submission = standing.submission
    return f"{submission.id} {submission.source}: CV {percent(standing.cv)}, public {percent(standing.public)}"


def _blend(paths: Paths, blend: Ensemble) -> dict[str, Any]:
    """An ensemble with what its files say; the pictures are those that exist."""
    files = paths.ensemble(blend.name)
    explanation = _read_json(files.explanation) or {}
    return {
        "made": blend,
        "shares": sorted(blend.shares.items(), key=lambda share: -share[1]),
        "scores": _read_json(files.scores) or {},
        "contribution": explanation.get("contribution", {}),
        "disagreement": explanation.get("disagreement", []),
        "names": list(explanation.get("contribution", {})),
        "changes": f"../ensembles/{blend.name}/{files.changes.name}" if files.changes.is_file() else None,
    }


def _gallery(paths: Paths, rows: Sequence[LeaderboardRow]) -> dict[str, str] | None:
    """The images of the best experiment that has pictures of them, made small enough to travel with the page."""
    for row in rows:
        path = paths.gallery(row.name)
        if row.rank and path.is_file():
            with Image.open(path) as picture:
                return {"name": row.name, "uri": thumbnail_uri(np.asarray(picture.convert("RGB")))}
    return None


def _team(store: Store, settings: Settings, named: Mapping[str, LeaderboardRow]) -> list[dict[str, Any]]:
    """Each member with their work, their last result and the next steps of each role."""
    work = workloads(store)
    state = team_state(store, settings, work)
    return [
        {
            "name": member.name,
            "roles": [role.value for role in member.roles],
            "work": work[member.name],
            "last": named.get(work[member.name].last or ""),
            "steps": [(role.value, step) for role in member.roles for step in next_steps(role, state)],
        }
        for member in members.everyone(store)
    ]


def _read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file; None where there is none, or somebody has damaged it: the page does without."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
