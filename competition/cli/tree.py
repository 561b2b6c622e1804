"""`comp tree`: which baseline grew from which, and what was tried on each."""

import typer

from competition.api import open_competition
from competition.cli.options import DirOption, JsonOption


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp tree")(tree)


def tree(folder: DirOption = None, as_json: JsonOption = False) -> None:
    """Draw the tree of baselines and experiments.

    Each experiment has its condition, score and gain. An experiment that became a baseline is shown with both names;
    `(now)` marks the baseline that the next experiments start from.
    """
    from competition.cli.show import output
    from competition.cli.show.experiments import show_lineages
    from competition.experiments.lineages import lineages

    opened = open_competition(folder)
    found = lineages(opened.store)
    if as_json:
        output.print_json([lineage.to_json() for lineage in found])
        return
    if not found:
        output.out().print("No experiment yet. `comp run` runs the baseline.")
        return
    show_lineages(found)
