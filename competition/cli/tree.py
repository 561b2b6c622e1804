"""`comp tree`: which baseline grew from which, and what was tried on each."""

from typing import TYPE_CHECKING

import typer

from competition.api import open_competition
from competition.cli.options import DirOption, JsonOption

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from competition.experiments.lineages import Lineage, Node


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp tree")(tree)


def tree(folder: DirOption = None, as_json: JsonOption = False) -> None:
    """Draw what grew from what: baselines and experiments.

    Of each experiment, the condition, the score and the gain. An experiment that became a baseline bears its name;
    `(now)` marks the one that the next experiments start from.
    """
    from competition.cli.show import output
    from competition.experiments.lineages import lineages

    opened = open_competition(folder)
    found = lineages(opened.store)
    if as_json:
        output.print_json([lineage.to_json() for lineage in found])
        return
    if not found:
        output.out().print("No experiment yet. `comp run` runs the baseline.")
        return
    for lineage in found:
        output.out().print(_draw(lineage))


def _draw(lineage: "Lineage") -> "Tree":
    from rich.text import Text
    from rich.tree import Tree

    drawn = Tree(Text(f"lineage of {lineage.owner}" if lineage.owner else "the team's lineage", style="bold"))
    for root in lineage.roots:
        _hang(drawn, root, current=lineage.current)
    return drawn


def _hang(parent: "Tree", node: "Node", *, current: str) -> None:
    branch = parent.add(_label(node, current=current))
    for child in node.children:
        _hang(branch, child, current=current)


def _label(node: "Node", *, current: str) -> "Text":
    from rich.text import Text

    from competition.cli.show import output
    from competition.wording import outcome

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
