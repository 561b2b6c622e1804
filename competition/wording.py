"""Numbers, outcomes and verdicts in words, the same on a terminal and on a page."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    """A probability as people read it: `37 %`; never 0 % or 100 %."""
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
    """The gain over the parent with its verdict, else the score, else the state of the experiment."""
    if row.delta is not None:
        call = f" {row.judged.verdict.call}" if row.judged else ""
        return f"{percent(row.delta, signed=True)}{call}"
    return row.state.value if row.score is None else f"CV {percent(row.score)}"


def verdict_notes(rows: Sequence["LeaderboardRow"]) -> list[str]:
    """The notes below a leaderboard about its verdicts."""
    judged = [row.judged for row in rows if row.judged]
    complete = [row for row in rows if row.rank and row.state is ExperimentState.COMPLETE]
    said = [f"{row.name}: {row.reason}" for row in complete if row.reason]
    lenders = sorted({name for j in judged if j.borrowed for name in j.seeds_from})
    if lenders:
        said.append(f"~ seed noise was measured on {', '.join(lenders)}, not on the experiment or its parent.")
    if any(j.effect.same_models for j in judged):
        said.append("= the same trained models as its parent: compared on the seeds that both have.")
    unknown = sorted({j.against for j in judged if not j.effect.seeds_known})
    if unknown:
        said.append(
            "needs-seeds without an interval: seed noise is not measured yet. "
            f"`comp run {unknown[0]} --seeds 3` measures it."
        )
    wanting = {r.name: r.judged.verdict.seeds_wanted for r in rows if r.judged and r.judged.verdict.seeds_wanted}
    if wanting:
        listed = ", ".join(f"{name} {seeds}" for name, seeds in list(wanting.items())[:4])
        said.append(f"needs-seeds: seeds of it and of its parent that could decide: {listed}.")
    family = max((j.family for j in judged if j.effect.seeds_known), default=0)
    if family > 1:
        said.append(
            f"Intervals are 95 % for one comparison; verdicts are corrected for {family} with one parent (Holm)."
        )
    return said


def comparison_sentences(a: str, b: str, found: Mapping[str, Any]) -> list[str]:
    """The verdict on experiment b against experiment a in words, from the plain values of their comparison."""
    verdict, folds = found["verdict"], found["folds_alone"]
    said = [f"Verdict: {b} against {a}: {verdict['call']}."]
    if verdict["p"] is None and verdict["same_models"]:
        said.append("There are too few images or groups to tell the two apart.")
    elif verdict["p"] is None:
        said.append(f"Seed noise is not measured yet: `comp run {a} --seeds 3` measures it.")
    else:
        whose = f"seeds of {' and '.join(verdict['seeds_from'])}"
        if verdict["same_models"]:
            whose = "the same trained models in both, so there is no seed noise"
        ends = f"{_points(verdict['low'])} to {_points(verdict['high'])}"
        said.append(
            f"{_points(verdict['delta'])} [{ends}], p {_p(verdict['p'])}; "
            f"from {verdict['units']} images or groups, and {whose}."
        )
        said.append(f"The smallest effect that is found four times out of five here: {percent(verdict['detectable'])}.")
    if verdict["seeds_wanted"]:
        said.append(f"{verdict['seeds_wanted']} seeds of each could decide.")
    if folds and not math.isnan(folds["p"]):
        ends = f"{_points(folds['low'])} to {_points(folds['high'])}"
        said.append(f"Folds alone (corrected t): {_points(folds['delta'])} [{ends}], p {_p(folds['p'])}.")
    if verdict["same_models"]:
        said.append(f"All numbers are means over the seeds that both have ({verdict['seeds'][0]}).")
    else:
        said.append("Intervals of classes come from images alone, without seed noise.")
    return said


def _p(value: float) -> str:
    return "below 0.001" if value < 0.001 else f"{value:.3f}"


def _points(value: float) -> str:
    return percent(value, signed=True)
