"""`comp leaderboard`: what works."""

from typing import TYPE_CHECKING, Annotated

import typer

from competition.cli import publicboard
from competition.cli.options import DirOption, JsonOption, open_competition
from competition.errors import CompError

if TYPE_CHECKING:
    from rich.table import Table

    from competition.store.leaderboard import LeaderboardRow

TEAM = "(team)"
"""What the team's own lineage is called beside those of members."""


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp leaderboard --member minsu")(leaderboard)


def leaderboard(
    member: Annotated[str | None, typer.Option(metavar="MEMBER", help="Only this member's experiments.")] = None,
    every_split: Annotated[bool, typer.Option("--all", help="Also experiments on older splits.")] = False,
    public: Annotated[bool, typer.Option("--lb", help="CV against the competition's public board instead.")] = False,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rank the experiments.

    Complete ones by their score over all out-of-fold pixels; the others stand below, with the reason.
    """
    from competition.cli import output
    from competition.store import leaderboard as board
    from competition.store import members

    opened = open_competition(folder)
    if public:
        if member is not None or every_split:
            raise CompError("--lb shows the whole team's submissions of the current split: no --member, no --all.")
        publicboard.show(opened, as_json=as_json)
        return
    if member is not None:
        members.find(opened.store, member)
    rows = board.leaderboard(opened.store, member=member, every_split=every_split)
    if as_json:
        output.print_json([row.to_json() for row in rows])
        return
    if not rows:
        output.out().print("No experiment yet. `comp run` runs the baseline.")
        return
    output.out().print(render(rows))
    if any(row.confounded for row in rows):
        output.say("* confounded: several conditions at once, so nobody can say which of them did it.")
    for version, reason in sorted({(row.split_version, row.leaks_allowed) for row in rows if row.leaks_allowed}):
        marked = f"! split v{version} leaks, so its scores look better than they are; allowed because: {reason}"
        output.out().print(marked, markup=False, soft_wrap=True)


def render(rows: list["LeaderboardRow"]) -> "Table":
    """The rows as a table that fits 80 columns; scores in percent."""
    from competition.cli import output

    lineages = ("lineage",) if any(row.lineage for row in rows) else ()
    table = output.table(
        "#",
        "experiment",
        "member",
        *lineages,
        "condition",
        "CV",
        "folds",
        "delta",
        "time",
        right=("#", "CV", "folds", "delta", "time"),
        wrap=("experiment", "member", "lineage", "condition"),
    )
    below = False
    for row in rows:
        if row.rank is None and not below and any(r.rank for r in rows):
            table.add_section()
            below = True
        output.add_row(
            table,
            row.rank or output.NOTHING,
            row.name,
            row.member,
            *((row.lineage or TEAM,) if lineages else ()),
            _condition(row),
            output.percent(row.score),
            _folds(row),
            output.percent(row.delta, signed=True),
            output.duration(row.device_seconds),
            style=None if row.rank else "dim",
        )
    return table


def _condition(row: "LeaderboardRow") -> str:
    what = "\n".join(str(c) for c in row.conditions) or "(baseline)"
    marked = f"{what} *" if row.confounded else what
    return marked if row.rank else f"{marked}\n{row.state}{f': {row.reason}' if row.reason else ''}"


def _folds(row: "LeaderboardRow") -> str:
    from competition.cli import output

    if row.fold_std is None:
        return output.percent(row.fold_mean)
    return f"{output.percent(row.fold_mean)}±{100 * row.fold_std:.2f}"
