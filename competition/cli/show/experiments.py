"""Baselines, lineages and reproductions on the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from rich.tree import Tree

from competition.cli.show import output
from competition.wording import outcome

if TYPE_CHECKING:
    from competition.api.baselines import CurrentBaseline
    from competition.api.reproduce import Reproduction
    from competition.experiments.lineages import Lineage, Node

_LONGEST = 40


def show_baseline(current: "CurrentBaseline") -> None:
    """Print every key of a baseline and its value."""
    version = current.version
    table = output.table("key", "value")
    for key, value in current.config.leaves().items():
        output.add_row(table, key, value)
    output.out().print(table)
    whose = f" of {version.owner}" if version and version.owner else ""
    origin = f", promoted from {version.promoted_from}" if version and version.promoted_from else ""
    state = "" if version else " (not run yet: baseline.yaml may still be edited)"
    output.say(f"Baseline {current.name}{whose}{origin}{state}.")


def show_lineages(lineages: "Sequence[Lineage]") -> None:
    """Draw what grew from what, a tree per lineage."""
    for lineage in lineages:
        output.out().print(_draw(lineage))


def _draw(lineage: "Lineage") -> Tree:
    drawn = Tree(Text(f"lineage of {lineage.owner}" if lineage.owner else "the team's lineage", style="bold"))
    for root in lineage.roots:
        _hang(drawn, root, current=lineage.current)
    return drawn


def _hang(parent: Tree, node: "Node", *, current: str) -> None:
    branch = parent.add(_label(node, current=current))
    for child in node.children:
        _hang(branch, child, current=current)


def _label(node: "Node", *, current: str) -> Text:
    row = node.experiment
    names = [*([row.name] if row else []), *(name for name in node.baselines if row is None or name != row.name)]
    title = " = ".join(names) + (" (now)" if current in node.baselines else "")
    if row is None:
        return Text(f"{title}  not run on this split")
    facts = [row.member, *(str(c) for c in row.conditions)]
    if row.confounded:
        facts.append(f"confounded: {row.confounded}")
    if row.delta is not None:
        facts.append(f"CV {output.percent(row.score)}")
    return Text("  ".join([title, *facts, outcome(row)]))


def show_reproduction(found: "Reproduction") -> None:
    """Print whether a fold that was trained again is the same, and what differs."""
    scores = f"score {output.percent(found.recorded_score)}, now {output.percent(found.score)}"
    output.out().print(f"{found.experiment}, fold {found.fold}: {found.sameness} ({scores})", markup=False)
    if found.files:
        output.out().print(f"differing files: {', '.join(found.files)}", markup=False)
    if found.differences:
        table = output.table("recorded differently", "then", "now", wrap=("recorded differently", "then", "now"))
        for difference in found.differences:
            output.add_row(table, difference.key, _short(difference.recorded), _short(difference.now))
        output.out().print(table)
    elif found.files:
        output.out().print("Nothing that is recorded differs; the device may have computed in no fixed order.")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
