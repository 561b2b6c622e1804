"""`comp ensemble --budget`: what can be scored in how much time, as a table."""

from typing import TYPE_CHECKING

from competition.api import Competition

if TYPE_CHECKING:
    from competition.ensemble.make import MadeEnsemble


def show_budget(opened: Competition, made: "MadeEnsemble") -> None:
    """Print the best blends by inference time, and say where the picture is."""
    from competition.cli.show import output

    plan = made.budget
    assert plan is not None
    output.say(
        f"Inference times are those that the jobs measured on their own devices, for {made.budget_images} images."
    )
    table = output.table(
        "", "seconds", "score", "equal weights of", right=("seconds", "score"), wrap=("equal weights of",)
    )
    for point in plan.front:
        mark = "*" if point == plan.chosen else ""
        output.add_row(table, mark, f"{point.seconds:.1f}", output.percent(point.score), ", ".join(point.experiments))
    output.out().print(table)
    honest = output.percent(plan.cross_fitted)
    output.print_lines(f"* the best in {plan.limit_s:g} s. Chosen without the fold that is scored: {honest}.")
    output.say(f"Picture: {opened.paths.ensemble(made.name).front}")
