"""The columns of the leaderboard, and the rows in them as a table, CSV or Markdown."""

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from competition.cli.show import output
from competition.cli.show.interval import bar, cell
from competition.errors import UnknownNameError
from competition.lifecycle import ExperimentState

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from competition.experiments.leaderboard import LeaderboardRow, Standings

WIDE = 100
"""Characters in a line that have room for one column more."""
TEAM = "(team)"
"""What the team's own lineage is called beside those of members."""


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        header: above the column of a table.
        words: what a person reads.
        value: what a program reads: scores are fractions, times seconds.
    """

    header: str
    words: Callable[["LeaderboardRow"], str]
    value: Callable[["LeaderboardRow"], object]
    right: bool = False
    wrap: bool = False


def named(text: str | None) -> tuple[str, ...] | None:
    """The columns that `--columns` names, separated by commas; None for the usual ones.

    Raises:
        UnknownNameError: there is no such column.
    """
    if text is None:
        return None
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    for name in names:
        if name not in COLUMNS:
            raise UnknownNameError.among("column", name, COLUMNS, hint=f"Columns: {', '.join(COLUMNS)}")
    return names or None


def usual(rows: Sequence["LeaderboardRow"], *, width: int = 80) -> tuple[str, ...]:
    """The columns that are shown unless others are asked for.

    The lineage stands among them where there are several, the mean over folds where `width` has room for it.
    """
    found = list(USUAL)
    if any(row.lineage for row in rows):
        found.insert(found.index("condition"), "lineage")
    if width >= WIDE:
        found.insert(found.index("score") + 1, "folds")
    return tuple(found)


def table(rows: Sequence["LeaderboardRow"], columns: Sequence[str] | None = None) -> "Table":
    """The rows, scores in percent; what does not rank stands below and dimmed, with the reason."""
    chosen = [(name, COLUMNS[name]) for name in columns or usual(rows, width=output.out().width)]
    made = output.table(
        *(column.header for _, column in chosen),
        right=tuple(column.header for _, column in chosen if column.right),
        wrap=tuple(column.header for _, column in chosen if column.wrap),
    )
    scale = _scale(rows)
    above = False
    for row in rows:
        if above and row.rank is None:
            made.add_section()
        above = row.rank is not None
        cells = [_verdict(row, scale) if name == "verdict" else column.words(row) for name, column in chosen]
        output.add_row(made, *cells, style=None if row.rank else "dim")
    return made


def show(standings: "Standings", columns: Sequence[str] | None) -> None:
    """Print the leaderboard as a table, and what has to be said below it."""
    from competition.wording import verdict_notes

    rows = standings.rows
    if not rows:
        output.out().print("No experiment yet. `comp run` runs the baseline.")
        return
    output.out().print(table(rows, columns))
    if standings.total > len(rows):
        output.say(f"… and {standings.total - len(rows)} more; --most {standings.total} shows them.")
    for note in verdict_notes(rows):
        output.say(note)
    if any(row.confounded for row in rows):
        output.say("* confounded: several conditions at once, so nobody can say which of them did it.")
    for version, reason in sorted({(row.split_version, row.leaks_allowed) for row in rows if row.leaks_allowed}):
        marked = f"! split v{version} leaks, so its scores look better than they are; allowed because: {reason}"
        output.out().print(marked, markup=False, soft_wrap=True)


def as_csv(rows: Sequence["LeaderboardRow"], columns: Sequence[str] | None = None) -> str:
    """The rows as CSV, with every column unless some are chosen; a cell is empty where there is no value."""
    columns = columns or tuple(COLUMNS)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([COLUMNS[name].value(row) for name in columns] for row in rows)
    return text.getvalue()


def as_markdown(rows: Sequence["LeaderboardRow"], columns: Sequence[str] | None = None) -> str:
    """The rows as a Markdown table."""
    chosen = [COLUMNS[name] for name in columns or usual(rows)]
    lines = [[column.header for column in chosen], ["--:" if column.right else "---" for column in chosen]]
    lines += [[_plain(column.words(row)) for column in chosen] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _condition(row: "LeaderboardRow") -> str:
    what = "\n".join(str(c) for c in row.conditions) or "(baseline)"
    marked = f"{what} *" if row.confounded else what
    if row.rank and row.state is ExperimentState.COMPLETE:
        return marked
    return f"{marked}\n{row.state}{f': {row.reason}' if row.reason else ''}"


def _folds(row: "LeaderboardRow") -> str:
    if row.fold_std is None:
        return output.percent(row.fold_mean)
    return f"{output.percent(row.fold_mean)}±{100 * row.fold_std:.2f}"


def _call(row: "LeaderboardRow") -> str:
    if row.judged is None:
        return output.NOTHING
    return f"{row.judged.verdict.call.value} {row.judged.mark}".rstrip()


def _verdict(row: "LeaderboardRow", scale: float) -> "Text | str":
    if row.judged is None:
        return output.NOTHING
    verdict = row.judged.verdict
    drawn = ""
    if verdict.low is not None and verdict.high is not None:
        drawn = bar(verdict.low, row.judged.effect.delta, verdict.high, scale=scale)
    return cell(verdict.call, f" {row.judged.mark}".rstrip(), drawn)


def _scale(rows: Sequence["LeaderboardRow"]) -> float:
    """What the ends of all bars stand for: the farthest end of an interval."""
    verdicts = [row.judged.verdict for row in rows if row.judged]
    ends = [abs(end) for v in verdicts for end in (v.low, v.high) if end is not None]
    return max((end for end in ends if math.isfinite(end)), default=0.0)


def _p(row: "LeaderboardRow") -> float | None:
    return row.judged.verdict.p if row.judged else None


def _detectable(row: "LeaderboardRow") -> float | None:
    return row.judged.verdict.detectable if row.judged else None


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", "<br>")


COLUMNS: dict[str, Column] = {
    "rank": Column("#", lambda r: str(r.rank or output.NOTHING), lambda r: r.rank, right=True),
    "experiment": Column("experiment", lambda r: r.name, lambda r: r.name, wrap=True),
    "member": Column("member", lambda r: r.member, lambda r: r.member, wrap=True),
    "parent": Column("parent", lambda r: r.parent or output.NOTHING, lambda r: r.parent, wrap=True),
    "lineage": Column("lineage", lambda r: r.lineage or TEAM, lambda r: r.lineage, wrap=True),
    "condition": Column("condition", _condition, lambda r: "; ".join(map(str, r.conditions)), wrap=True),
    "score": Column("CV", lambda r: output.percent(r.score), lambda r: r.score, right=True),
    "folds": Column("folds", _folds, lambda r: r.fold_mean, right=True),
    "seeds": Column("seeds", lambda r: str(len(r.seed_scores)), lambda r: len(r.seed_scores), right=True),
    "delta": Column("delta", lambda r: output.percent(r.delta, signed=True), lambda r: r.delta, right=True),
    "verdict": Column("verdict", _call, lambda r: r.judged.verdict.call.value if r.judged else None),
    "low": Column(
        "low",
        lambda r: output.percent(r.judged.verdict.low if r.judged else None, signed=True),
        lambda r: r.judged.verdict.low if r.judged else None,
        right=True,
    ),
    "high": Column(
        "high",
        lambda r: output.percent(r.judged.verdict.high if r.judged else None, signed=True),
        lambda r: r.judged.verdict.high if r.judged else None,
        right=True,
    ),
    "p": Column("p", lambda r: output.NOTHING if _p(r) is None else f"{_p(r):.3f}", _p, right=True),
    "detectable": Column("detectable", lambda r: output.percent(_detectable(r)), _detectable, right=True),
    "time": Column("time", lambda r: output.duration(r.device_seconds), lambda r: r.device_seconds, right=True),
    "state": Column("state", lambda r: r.state.value, lambda r: r.state.value),
    "note": Column("note", lambda r: r.note, lambda r: r.note, wrap=True),
}

USUAL = ("rank", "experiment", "member", "condition", "score", "delta", "verdict", "time")
