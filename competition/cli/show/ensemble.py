"""The tables of `comp ensemble`: scores and weights, what a budget allows, what each experiment does for the blend."""

import math
import textwrap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from competition.api import Competition

if TYPE_CHECKING:
    from rich.table import Table

    from competition.ensemble.build import ScoredBlend
    from competition.ensemble.explain import Explanation
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


def show_scores(name: str, blend: "ScoredBlend") -> None:
    """Print the scores of the blend and of what it is compared with, what they mean, and the weights."""
    from competition.cli.show import output
    from competition.ensemble.methods import Method

    best, single = blend.best_single
    table = output.table(name, "score", "gain", right=("score", "gain"), wrap=(name,))
    rows = [
        (f"best single ({best})", single),
        ("mean", blend.mean_score),
        ("weighted, cross-fitted", blend.weighted_score),
        ("weighted, in-sample (optimistic)", blend.weighted_in_sample),
    ]
    if blend.method not in (Method.MEAN, Method.WEIGHTED, Method.PER_CLASS):
        rows.append((blend.method, blend.tuned["regions"].before if blend.tuned else blend.score))
    for step, tuned in blend.tuned.items():
        rows.append((f"{blend.method}, {step} tuned, cross-fitted", tuned.score))
        rows.append(("the same, in-sample (optimistic)", tuned.in_sample))
    for label, score in rows:
        output.add_row(table, label, output.percent(score), output.percent(score - single, signed=True))
    output.out().print(table)
    output.out().print()
    for line in _sentences(blend):
        output.print_lines(textwrap.fill(line, 80))
    output.out().print()
    weights = output.table("experiment", "weight", "alone", right=("weight", "alone"))
    for experiment, weight in blend.weights.items():
        written = "by class" if isinstance(weight, list) else f"{weight:.3f}"
        output.add_row(weights, experiment, written, output.percent(blend.singles[experiment]))
    output.out().print(weights)


def _sentences(blend: "ScoredBlend") -> list[str]:
    """Say what the scores mean."""
    from competition.cli.show import output
    from competition.ensemble.methods import Method

    if math.isnan(blend.gain_error):
        return [
            f"Score {output.percent(blend.score)}. A single group of images gives no standard error: {blend.method}."
        ]
    gain = output.percent(blend.weighted_score - blend.mean_score, signed=True)
    error = output.percent(blend.gain_error)
    lines = [f"Score {output.percent(blend.score)}, standard error {output.percent(blend.score_error)}."]
    if blend.asked is Method.AUTO:
        verdict = "more than" if blend.method is Method.WEIGHTED else "not more than"
        lines.append(f"Weights gain {gain} over equal ones, {verdict} one standard error ({error}): {blend.method}.")
    else:
        lines.append(f"Weights gain {gain} over equal ones, standard error {error}.")
    for step, tuned in blend.tuned.items():
        gain = output.percent(tuned.score - tuned.before, signed=True)
        verdict, decision = ("more", "taken") if tuned.is_adopted else ("not more", "left")
        error = output.percent(tuned.gain_error)
        lines.append(f"Tuning {step} gains {gain}, {verdict} than one standard error ({error}): {decision}.")
    if blend.postprocessing is not None:
        lines += _settings(blend.postprocessing.to_json(blend.classes))
    return lines


def _settings(done: dict[str, Any]) -> list[str]:
    """Say what post-processing does to label maps, a sentence for each kind of setting."""
    lines = []
    if done["thresholds"]:
        lines.append(f"Thresholds other than 0.5: {_listed(done['thresholds'])}.")
    if done["min_size"]:
        lines.append(f"Smaller regions are removed (pixels): {_listed(done['min_size'])}.")
    if done["hole_size"]:
        lines.append(f"Holes up to this size are filled (pixels): {_listed(done['hole_size'])}.")
    if done["largest_only"]:
        lines.append(f"Only the largest region is kept: {', '.join(done['largest_only'])}.")
    return lines


def _listed(sizes: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {size:g}" for name, size in sizes.items())


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
