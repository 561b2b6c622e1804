"""`comp ensemble`: blend experiments, honestly."""

import math
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from competition.api import open_competition
from competition.cli.options import AsOption, DirOption, JsonOption, actor_name

if TYPE_CHECKING:
    from competition.ensemble.build import ScoredBlend


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp ensemble b1 dice-0.5 --name first --explain")(ensemble)


def ensemble(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[EXPERIMENT]...", help="Complete experiments.", show_default="all on this split"),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call it.", show_default="e1, e2, …")] = None,
    method: Annotated[str, typer.Option(help="auto, mean, weighted, per-class, vote, geometric or rank.")] = "auto",
    postprocess: Annotated[
        bool,
        typer.Option("--postprocess", help="Also tune thresholds and what is done to regions; taken if they gain."),
    ] = False,
    budget: Annotated[
        float | None,
        typer.Option(
            min=0.0, metavar="SECONDS", help="Choose experiments whose inference takes no longer.", show_default="all"
        ),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="With --budget: for this many images.", show_default="the test images"),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also show what each experiment does, and draw what changed.")
    ] = False,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Blend experiments, score the blend, predict.

    Blends out-of-fold probabilities, scores the blend exactly, and writes the test predictions.

    The weighted score is cross-fitted: the weights that score a fold were fitted without it. The in-sample score is
    shown next to it and is optimistic. `auto` uses fitted weights only if they gain more than one standard error over
    equal ones. By the same rule, `--postprocess` adopts thresholds by class, and then a smallest size, filled holes or
    only the largest region.
    """
    from competition.cli.show import output
    from competition.cli.show.budget import show_budget
    from competition.cli.show.explanation import show_explanation
    from competition.ensemble.make import EnsembleRequest, make_ensemble

    opened = open_competition(folder)
    request = EnsembleRequest(
        experiments=tuple(names or ()),
        name=name,
        method=method,
        postprocess=postprocess,
        budget_s=budget,
        images=images,
        explain=explain,
    )
    with output.step_bars() as progress:
        made = make_ensemble(opened.store, opened.settings, request, actor=actor_name(as_member), progress=progress)
    if made.budget is not None or made.explanation is not None:
        from competition.report.ensemble import write_pictures  # matplotlib loads only where there is something to draw

        write_pictures(opened.store, opened.settings, made)
    if made.pruned:
        output.say(f"Left out, because their probabilities were pruned: {', '.join(made.pruned)}.")
    if as_json:
        output.print_json(made.to_json())
        return
    if made.budget is not None:
        show_budget(opened, made)
        output.out().print()
    _show(made.name, made.blend)
    if made.explanation is not None:
        output.out().print()
        show_explanation(opened, made)
    if made.test is not None:
        if made.test.taken_over:
            output.say(made.test.taken_over_note)
        output.say(f"{made.test.images} test predictions: {opened.paths.ensemble(made.name).label_maps}.")
        output.say(f"Other formats: `comp submit {made.name} --format …`.")
    else:
        output.say("The competition has no test images, so there is no submission.")


def _show(name: str, made: "ScoredBlend") -> None:
    from competition.cli.show import output
    from competition.ensemble.methods import Method

    best, single = made.best_single
    table = output.table(name, "score", "gain", right=("score", "gain"), wrap=(name,))
    rows = [
        (f"best single ({best})", single),
        ("mean", made.mean_score),
        ("weighted, cross-fitted", made.weighted_score),
        ("weighted, in-sample (optimistic)", made.weighted_in_sample),
    ]
    if made.method not in (Method.MEAN, Method.WEIGHTED, Method.PER_CLASS):
        rows.append((made.method, made.tuned["regions"].before if made.tuned else made.score))
    for step, tuned in made.tuned.items():
        rows.append((f"{made.method}, {step} tuned, cross-fitted", tuned.score))
        rows.append(("the same, in-sample (optimistic)", tuned.in_sample))
    for label, score in rows:
        output.add_row(table, label, output.percent(score), output.percent(score - single, signed=True))
    output.out().print(table)
    output.out().print()
    for line in _sentences(made):
        output.print_lines(textwrap.fill(line, 80))
    output.out().print()
    weights = output.table("experiment", "weight", "alone", right=("weight", "alone"))
    for experiment, weight in made.weights.items():
        written = "by class" if isinstance(weight, list) else f"{weight:.3f}"
        output.add_row(weights, experiment, written, output.percent(made.singles[experiment]))
    output.out().print(weights)


def _sentences(made: "ScoredBlend") -> list[str]:
    """What the numbers amount to."""
    from competition.cli.show import output
    from competition.ensemble.methods import Method

    if math.isnan(made.gain_error):
        return [f"Score {output.percent(made.score)}; one group of images says nothing about its error: {made.method}."]
    gain = output.percent(made.weighted_score - made.mean_score, signed=True)
    error = output.percent(made.gain_error)
    lines = [f"Score {output.percent(made.score)}, standard error {output.percent(made.score_error)}."]
    if made.asked is Method.AUTO:
        verdict = "more than" if made.method is Method.WEIGHTED else "not more than"
        lines.append(f"Weights gain {gain} over equal ones, {verdict} one standard error ({error}): {made.method}.")
    else:
        lines.append(f"Weights gain {gain} over equal ones, standard error {error}.")
    for step, tuned in made.tuned.items():
        gain = output.percent(tuned.score - tuned.before, signed=True)
        verdict, so = ("more", "taken") if tuned.is_adopted else ("not more", "left")
        error = output.percent(tuned.gain_error)
        lines.append(f"Tuning {step} gains {gain}, {verdict} than one standard error ({error}): {so}.")
    if made.postprocessing is not None:
        lines += _settings(made.postprocessing.to_json(made.classes))
    return lines


def _settings(done: dict[str, Any]) -> list[str]:
    """What is done to label maps, a sentence each."""
    said = []
    if done["thresholds"]:
        said.append(f"Thresholds other than 0.5: {_listed(done['thresholds'])}.")
    if done["min_size"]:
        said.append(f"Regions of fewer pixels go: {_listed(done['min_size'])}.")
    if done["hole_size"]:
        said.append(f"Holes of up to so many pixels are filled: {_listed(done['hole_size'])}.")
    if done["largest_only"]:
        said.append(f"Only the largest region stays: {', '.join(done['largest_only'])}.")
    return said


def _listed(sizes: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {size:g}" for name, size in sizes.items())
