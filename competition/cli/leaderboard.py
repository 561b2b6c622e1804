"""`comp leaderboard`: the ranked experiments."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from competition.api import Competition, open_competition
from competition.cli.options import DirOption, JsonOption, say_new_spelling
from competition.errors import CompError, UnknownNameError

if TYPE_CHECKING:
    from competition.experiments.leaderboard import LeaderboardRow, Standings

MOST = 40
"""Rows of a table that a person may read; programs get all."""
REDRAW_S = 2.0


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp leaderboard --by condition")(leaderboard)


def leaderboard(
    member: Annotated[str | None, typer.Option(metavar="MEMBER", help="Only this member's experiments.")] = None,
    every_split: Annotated[bool, typer.Option("--all", help="Also experiments on older splits.")] = False,
    by: Annotated[
        str | None,
        typer.Option(metavar="condition|member|role", help="Pool the gains by condition, or count by member or role."),
    ] = None,
    pareto: Annotated[bool, typer.Option("--pareto", help="Only experiments that no cheaper one beats.")] = False,
    columns: Annotated[
        str | None, typer.Option(metavar="A,B,…", help="Which columns (a wrong one lists them).", show_default="usual")
    ] = None,
    most: Annotated[
        int | None, typer.Option("--most", min=1, help="Rows to show.", show_default=f"{MOST} in a table, else all")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV to stdout.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Redraw every 2 s, until Ctrl-C.")] = False,
    public: Annotated[
        bool, typer.Option("--public", help="CV against the competition's public board instead.")
    ] = False,
    folder: DirOption = None,
    as_json: JsonOption = False,
    lb: Annotated[bool, typer.Option("--lb", hidden=True)] = False,
) -> None:
    """Rank the experiments, and say which gains may be luck.

    Complete experiments are ranked by their score over all out-of-fold pixels; the others follow, with the reason.
    The verdict compares with the parent: its bar is the 95 % interval of the difference, and the stroke is zero. A
    terminal of 100 columns also shows the mean and deviation over the folds.
    """
    from competition.cli.show import leaderboard_table, output
    from competition.cli.show.submissions import show_public_board

    forms = {"--json": as_json, "--csv": as_csv, "--markdown": as_markdown, "--watch": watch}
    given = [name for name, wanted in forms.items() if wanted]
    if len(given) > 1 or (by and set(given) - {"--json"}):
        raise CompError(f"{' and '.join(['--by', *given] if by else given)} do not go together.")
    if lb:
        say_new_spelling("--lb", "--public")
    opened = open_competition(folder)
    if public or lb:
        if member or every_split or by or pareto or columns or most or set(given) - {"--json"}:
            raise CompError(
                "--public shows all submissions of the current split, so only --json goes with it.",
                hint="`comp leaderboard --public`",
            )
        show_public_board(opened, as_json=as_json)
        return

    def rows(most: int | None = most) -> "Standings":
        return opened.standings(member=member, every_split=every_split, cheapest=pareto, most=most)

    chosen = leaderboard_table.named(columns)
    if by is not None:
        _show_by(opened, rows().rows, by, as_json=as_json)
    elif as_json:
        output.print_json([row.to_json() for row in rows().rows])
    elif as_csv:
        output.print_lines(leaderboard_table.as_csv(rows().rows, chosen))
    elif as_markdown:
        output.print_lines(leaderboard_table.as_markdown(rows().rows, chosen))
    elif watch:
        output.watch(
            lambda: leaderboard_table.table(rows(most or MOST).rows, chosen),
            every_s=REDRAW_S,
            command="comp leaderboard",
        )
    else:
        leaderboard_table.show(rows(most or MOST), chosen)


def _show_by(opened: Competition, rows: list["LeaderboardRow"], by: str, *, as_json: bool) -> None:
    from competition.cli.show import effects, output
    from competition.store import members

    if by not in list(effects.By):
        raise UnknownNameError.among("way to gather", by, effects.By)
    table: Any
    if by == effects.By.CONDITION:
        found = effects.by_condition(rows)
        plain, table = [one.to_json() for one in found], effects.condition_table(found)
    else:
        everyone = members.everyone(opened.store)
        names = {m.name: m.roles if by == effects.By.ROLE else (m.name,) for m in everyone}
        plain = effects.tally(rows, names)
        table = effects.tally_table(plain, effects.By(by))
    if as_json:
        output.print_json(plain)
    elif plain:
        output.out().print(table)
    else:
        output.out().print("Nothing to compare yet. `comp run --set KEY=VALUE` tries a condition on the baseline.")
