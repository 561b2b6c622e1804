"""How an experiment did, in a word or two: the one place to change when more is known than the difference."""

from typing import TYPE_CHECKING

from competition.cli import output

if TYPE_CHECKING:
    from competition.store.leaderboard import LeaderboardRow


def outcome(row: "LeaderboardRow") -> str:
    """The gain over the parent, else the score, else how far the experiment is."""
    if row.delta is not None:
        return output.percent(row.delta, signed=True)
    return row.state.value if row.score is None else f"CV {output.percent(row.score)}"
