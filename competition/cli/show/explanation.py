"""`comp ensemble --explain`: what each member does for the blend, as tables and pictures."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from competition.api import Competition

if TYPE_CHECKING:
    from rich.table import Table

    from competition.data.load import Loader
    from competition.data.manifest import Item
    from competition.ensemble.build import Ensemble
    from competition.ensemble.explain import Explanation
    from competition.ensemble.inputs import BlendedExperiment
    from competition.report.ensemble import Changed

MOST = 3
"""So many images that gained, and so many that lost."""


def write_explanation(
    opened: Competition,
    name: str,
    members: Sequence["BlendedExperiment"],
    made: "Ensemble",
    loader: "Loader",
    items: Mapping[str, "Item"],
) -> "Explanation":
    """Explain the ensemble called `name`, and write the explanation and its pictures to its folder."""
    from competition.cli.show import output
    from competition.ensemble.explain import explain
    from competition.files import replacing, write_json
    from competition.report.ensemble import changes_png, disagreement_png
    from competition.report.palette import class_colours

    with output.progress_bar("Explaining") as progress:
        found = explain(
            members,
            made,
            truth=lambda image_id: loader.labels(items[image_id]),
            metric=opened.settings.metric,
            progress=progress,
        )
    paths = opened.paths.ensemble(name)
    write_json(paths.explanation, found.to_json())
    with replacing(paths.disagreement) as aside:
        aside.write_bytes(disagreement_png(found.names, found.disagreement))
    changed = _changed(found, made, members, loader, items)
    if changed:
        with replacing(paths.changes) as aside:
            aside.write_bytes(changes_png(changed, class_colours(opened.settings), single=found.best))
    return found


def show_explanation(opened: Competition, name: str, found: "Explanation", made: "Ensemble") -> None:
    """Print the tables, and say where the pictures are."""
    from competition.cli.show import output

    table = output.table(
        "member", "by", "weight", "alone", "without it", right=("weight", "alone", "without it"), wrap=("member", "by")
    )
    people = _people(opened)
    for member, weight in made.weights.items():
        share = float(np.mean(weight))
        loss = found.contribution[member]
        change = output.NOTHING if math.isnan(loss) else output.percent(-loss, signed=True)
        output.add_row(table, member, people(member), f"{share:.3f}", output.percent(made.singles[member]), change)
    output.out().print(table)
    if not np.isnan(found.class_effect).all():
        output.out().print()
        output.out().print(_classes(found))
    gained, lost = int((found.change > 0).sum()), int((found.change < 0).sum())
    paths = opened.paths.ensemble(name)
    output.out().print()
    output.print_lines(f"{gained} images score better than with {found.best} alone, {lost} worse.")
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


def _people(opened: Competition) -> Callable[[str], str]:
    """Who made an experiment, and what they answer for."""
    from competition.store import experiments, members

    roles = {member.name: ", ".join(member.roles) for member in members.everyone(opened.store)}

    def of(experiment: str) -> str:
        person = experiments.find(opened.store, experiment).member
        return f"{person} ({roles[person]})" if roles.get(person) else person

    return of


def _changed(
    found: "Explanation",
    made: "Ensemble",
    members: Sequence["BlendedExperiment"],
    loader: "Loader",
    items: Mapping[str, "Item"],
) -> list["Changed"]:
    from competition.cli.show import output
    from competition.ensemble.explain import oof_labels
    from competition.ensemble.inputs import open_experiments
    from competition.report.ensemble import Changed

    shards = open_experiments(members)
    changed = []
    for row in found.most_changed(MOST):
        item = items[found.ids[row]]
        single, blend = oof_labels(shards, made, item.id)
        caption = f"{item.id}  {output.percent(found.change[row], signed=True)}"
        changed.append(Changed(caption, loader.image(item), loader.labels(item), single, blend))
    return changed
