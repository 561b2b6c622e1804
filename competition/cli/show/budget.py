"""`comp ensemble --budget`: members whose inference fits into a time, as a table and a picture."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from competition.api import Competition

if TYPE_CHECKING:
    from competition.data.load import Loader
    from competition.data.manifest import Item
    from competition.ensemble.budget import Plan
    from competition.ensemble.inputs import BlendedExperiment


def plan_budget(
    opened: Competition,
    members: Sequence["BlendedExperiment"],
    loader: "Loader",
    items: Mapping[str, "Item"],
    *,
    limit_s: float,
    images: int | None,
) -> "Plan":
    """The members that are worth their time.

    Args:
        images: how many the limit is for; by default the test images, and where there are none the labelled ones.
    """
    from competition.cli.image_checks import read_manifest
    from competition.cli.show import output
    from competition.ensemble.budget import plan, seconds_of
    from competition.ensemble.crossfit import parts_of, units_of
    from competition.ensemble.inputs import open_experiments

    number = images or len(read_manifest(opened).test) or len(items)
    seconds = {
        member.name: seconds_of(
            member.name, [opened.paths.job(member.name, fold) for fold in range(len(member.oof))], images=number
        )
        for member in members
    }
    shards = open_experiments(members)
    shards.verify("oof")
    units = units_of(shards.ids, {image_id: item.group for image_id, item in items.items()})
    with output.progress_bar("Choosing members") as progress:
        found = plan(
            shards,
            seconds,
            limit_s=limit_s,
            parts=parts_of(shards, units, seed=0),
            truth=lambda image_id: loader.labels(items[image_id]),
            metric=opened.settings.metric,
            progress=progress,
        )
    output.say(f"Inference times are those that the jobs measured on their own devices, for {number} images.")
    return found


def draw_front(opened: Competition, name: str, found: "Plan") -> None:
    """Write the picture of the ensemble called `name`."""
    from competition.files import write_bytes
    from competition.report.ensemble import front_png

    points = [(point.seconds, 100 * point.score, len(point.members)) for point in found.front]
    chosen = (found.chosen.seconds, 100 * found.chosen.score)
    write_bytes(opened.paths.ensemble(name).front, front_png(points, limit_s=found.limit_s, chosen=chosen))


def show_front(opened: Competition, name: str, found: "Plan") -> None:
    """Print what can be had for how much time."""
    from competition.cli.show import output

    table = output.table(
        "", "seconds", "score", "equal weights of", right=("seconds", "score"), wrap=("equal weights of",)
    )
    for point in found.front:
        mark = "*" if point == found.chosen else ""
        output.add_row(table, mark, f"{point.seconds:.1f}", output.percent(point.score), ", ".join(point.members))
    output.out().print(table)
    honest = output.percent(found.cross_fitted)
    output.print_lines(f"* the best in {found.limit_s:g} s. Chosen without the fold that is scored: {honest}.")
    output.say(f"Picture: {opened.paths.ensemble(name).front}")
