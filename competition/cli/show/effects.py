"""`comp leaderboard --by`: what works here, and who tries what."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from competition.cli.show import output
from competition.cli.show.interval import bar, cell
from competition.scoring.effects import PooledEffect, pool
from competition.scoring.verdicts import Call, holm

if TYPE_CHECKING:
    from rich.table import Table

    from competition.experiments.leaderboard import LeaderboardRow


class By(StrEnum):
    """What the leaderboard's rows are gathered by."""

    CONDITION = "condition"
    MEMBER = "member"
    ROLE = "role"


@dataclass(frozen=True)
class ConditionEffect:
    """A condition, with its mean effect over the parents that it was tried on, and the verdict on that."""

    condition: str
    parents: tuple[str, ...]
    effect: PooledEffect
    call: Call

    def to_json(self) -> dict[str, Any]:
        """Plain values; scores are fractions."""
        half, delta = self.effect.half, self.effect.delta
        return {
            "condition": self.condition,
            "parents": list(self.parents),
            "delta": delta,
            "low": None if half is None else delta - half,
            "high": None if half is None else delta + half,
            "p": self.effect.p,
            "call": self.call.value,
        }


def by_condition(rows: Iterable["LeaderboardRow"]) -> list[ConditionEffect]:
    """Every condition that was tried alone and compared, the largest gain first; corrected for their number (Holm)."""
    tried: dict[str, list[LeaderboardRow]] = defaultdict(list)
    for row in rows:
        if row.judged is not None and len(row.conditions) == 1:
            tried[f"{row.conditions[0].key} = {row.conditions[0].new}"].append(row)
    names = {whole: f"{its[0].conditions[0].key} = {its[0].conditions[0].value}" for whole, its in tried.items()}
    effects = {name: pool([r.judged.effect for r in its if r.judged]) for name, its in tried.items()}
    levels = holm([1.0 if effect.p is None else effect.p for effect in effects.values()])
    found = [
        ConditionEffect(
            names[name], tuple(r.judged.against for r in tried[name] if r.judged), effect, effect.call(level=level)
        )
        for (name, effect), level in zip(effects.items(), levels, strict=True)
    ]
    return sorted(found, key=lambda one: -one.effect.delta)


def tally(rows: Sequence["LeaderboardRow"], names: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """By member or role: how many experiments, how they were judged, the best score, and the device time they took.

    Args:
        names: what each member's experiments are counted under (the member, or the roles that they hold).
    """
    groups: dict[str, list[LeaderboardRow]] = defaultdict(list)
    for row in rows:
        for name in names.get(row.member, ()):
            groups[name].append(row)
    lines = []
    for name, its in groups.items():
        calls = Counter(row.judged.verdict.call for row in its if row.judged)
        lines.append(
            {
                "name": name,
                "experiments": len(its),
                **{call.value: calls[call] for call in Call},
                "best": max((row.score for row in its if row.score is not None), default=None),
                "device_seconds": round(sum(row.device_seconds for row in its), 3),
            }
        )
    return sorted(lines, key=lambda line: -(line["best"] or 0.0))


def condition_table(found: Sequence[ConditionEffect]) -> "Table":
    """The conditions, effects in points."""
    table = output.table(
        "condition", "parents", "effect", "95 % interval", "verdict", right=("effect",), wrap=("condition", "parents")
    )
    scale = max((abs(one.effect.delta) + (one.effect.half or 0.0) for one in found), default=0.0)
    for one in found:
        half, delta = one.effect.half, one.effect.delta
        drawn = "" if half is None else bar(delta - half, delta, delta + half, scale=scale)
        effect = output.percent(delta, signed=True)
        effect += "" if half is None else f"±{100 * half:.2f}"
        output.add_row(table, one.condition, ", ".join(one.parents), effect, drawn, cell(one.call, "", ""))
    return table


def tally_table(lines: Sequence[dict[str, Any]], by: By) -> "Table":
    """The tallies, best scores in percent."""
    calls = [call.value for call in Call]
    table = output.table(
        by.value, "runs", *calls, "best CV", "time", right=("runs", *calls, "best CV", "time"), wrap=(by.value,)
    )
    for line in lines:
        counts = (line[call] for call in calls)
        time = output.duration(line["device_seconds"])
        output.add_row(table, line["name"], line["experiments"], *counts, output.percent(line["best"]), time)
    return table
