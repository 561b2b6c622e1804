"""Numbers, outcomes and verdicts in words, the same on a terminal and on a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from competition.lifecycle import ExperimentState

if TYPE_CHECKING:
    from competition.experiments.leaderboard import LeaderboardRow

NOTHING = "-"


@dataclass(frozen=True)
class Fact:
    """A number at the head of a page; `note` stands below it, small."""

    name: str
    value: str
    note: str = ""


def percent(value: float | None, *, signed: bool = False) -> str:
    """A score as people read it: 0.4312 is `43.12`."""
    if value is None:
        return NOTHING
    return f"{100 * value:+.2f}" if signed else f"{100 * value:.2f}"


def chance(probability: float) -> str:
    """A probability as people read it: `37 %`; never a certainty."""
    if probability < 0.005:
        return "<1 %"
    return ">99 %" if probability > 0.995 else f"{100 * probability:.0f} %"


def duration(seconds: float | None) -> str:
    """`42s`, `3m10s`, `2h05m`."""
    if seconds is None:
        return NOTHING
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def outcome(row: "LeaderboardRow") -> str:
    """The gain over the parent and what it is worth, else the score, else how far the experiment is."""
    if row.delta is not None:
        call = f" {row.judged.verdict.call}" if row.judged else ""
        return f"{percent(row.delta, signed=True)}{call}"
    return row.state.value if row.score is None else f"CV {percent(row.score)}"


def verdict_notes(rows: Sequence["LeaderboardRow"]) -> list[str]:
    """What has to be said below a leaderboard about its verdicts."""
    judged = [row.judged for row in rows if row.judged]
    complete = [row for row in rows if row.rank and row.state is ExperimentState.COMPLETE]
    said = [f"{row.name}: {row.reason}" for row in complete if row.reason]
    lenders = sorted({name for j in judged if j.borrowed for name in j.seeds_from})
    if lenders:
        said.append(f"~ what a seed does to the score is borrowed from {', '.join(lenders)}.")
    if any(j.effect.same_models for j in judged):
        said.append("= the same trained models as its parent: compared on the seeds that both have.")
    unknown = sorted({j.against for j in judged if not j.effect.seeds_known})
    if unknown:
        said.append(
            "needs-seeds without an interval: nobody knows yet what a seed does to the score. "
            f"`comp run {unknown[0]} --seeds 3` finds out."
        )
    wanting = {r.name: r.judged.verdict.seeds_wanted for r in rows if r.judged and r.judged.verdict.seeds_wanted}
    if wanting:
        listed = ", ".join(f"{name} {seeds}" for name, seeds in list(wanting.items())[:4])
        said.append(f"needs-seeds: so many seeds of it and of its parent could tell ({listed}).")
    family = max((j.family for j in judged if j.effect.seeds_known), default=0)
    if family > 1:
        said.append(f"Intervals are 95 % of one comparison; verdicts allow for {family} against one parent (Holm).")
    return said
