"""How an experiment did, in a word or two."""

from typing import TYPE_CHECKING

from competition.cli import output

if TYPE_CHECKING:
    from competition.store.leaderboard import LeaderboardRow


def outcome(row: "LeaderboardRow") -> str:
    """The gain over the parent and what it is worth, else the score, else how far the experiment is."""
    if row.delta is not None:
        call = f" {row.judged.verdict.call}" if row.judged else ""
        return f"{output.percent(row.delta, signed=True)}{call}"
    return row.state.value if row.score is None else f"CV {output.percent(row.score)}"
