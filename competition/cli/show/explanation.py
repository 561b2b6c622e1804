"""`comp ensemble --explain`: what each experiment does for the blend, as tables."""

import math
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from competition.api import Competition

if TYPE_CHECKING:
    from rich.table import Table

    from competition.ensemble.explain import Explanation
    from competition.ensemble.make import MadeEnsemble


def show_explanation(opened: Competition, made: "MadeEnsemble") -> None:
    """Print the tables, and say where the pictures are."""
    from competition.cli.show import output

    found = made.explanation
    assert found is not None
    table = output.table(
        "experiment",
        "by",
        "weight",
        "alone",
        "without it",
        right=("weight", "alone", "without it"),
        wrap=("experiment", "by"),
    )
    people = _people(opened)
    for experiment, weight in made.blend.weights.items():
        share = float(np.mean(weight))
        loss = found.contribution[experiment]
        change = output.NOTHING if math.isnan(loss) else output.percent(-loss, signed=True)
        alone = output.percent(made.blend.singles[experiment])
        output.add_row(table, experiment, people(experiment), f"{share:.3f}", alone, change)
    output.out().print(table)
    if not np.isnan(found.class_effect).all():
        output.out().print()
        output.out().print(_classes(found))
    gained, lost = int((found.change > 0).sum()), int((found.change < 0).sum())
    paths = opened.paths.ensemble(made.name)
    output.out().print()
    output.print_lines(f"{gained} images score better than with {found.best} alone, {lost} worse.")
    if made.blend.undecided_share is not None:
        sentence = _rounding(made.blend.undecided_share, made.blend.bounds)
        output.print_lines(textwrap.fill(sentence, 80, break_on_hyphens=False))
    output.say(f"Pictures: {paths.disagreement} and {paths.changes.name}; all numbers: {paths.explanation.name}.")


def _classes(found: "Explanation") -> "Table":
    """By class: who helps it most and who least."""
    from competition.cli.show import output

    table = output.table(
        "class",
        "helped most by",
        "IoU",
        "least by",
        "IoU",
        right=("IoU",),
        wrap=("class", "helped most by", "least by"),
    )
    for index, name in enumerate(found.classes):
        effects = found.class_effect[:, index]
        if not np.nan_to_num(effects).any():  # nobody names the class, or it makes no difference who is missing
            continue
        most, least = int(np.nanargmax(effects)), int(np.nanargmin(effects))
        cells = (found.names[most], output.percent(effects[most], signed=True))
        output.add_row(table, name, *cells, found.names[least], output.percent(effects[least], signed=True))
    return table


def _rounding(undecided_share: float, bounds: tuple[float, float] | None) -> str:
    """What storing probabilities as bytes can have changed."""
    from competition.cli.show import output

    share = f"{100 * undecided_share:.3f} %"
    text = f"Probabilities are stored as bytes, which can change the class of at most {share} of the pixels"
    if bounds is None:
        return f"{text}."
    low, high = map(output.percent, bounds)
    return f"{text}: without rounding, the final weights score {low} to {high} in-sample."


def _people(opened: Competition) -> Callable[[str], str]:
    """Who made an experiment, and what they answer for."""
    from competition.store import experiments, members

    roles = {member.name: ", ".join(member.roles) for member in members.everyone(opened.store)}

    def of(experiment: str) -> str:
        person = experiments.find(opened.store, experiment).member
        return f"{person} ({roles[person]})" if roles.get(person) else person

    return of
