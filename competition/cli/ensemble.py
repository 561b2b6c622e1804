"""`comp ensemble`: blend experiments, honestly."""

import math
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from competition.api import Competition, open_competition
from competition.cli.options import AsOption, DirOption, JsonOption, actor_name
from competition.errors import RefusedError
from competition.names import check_name

if TYPE_CHECKING:
    from competition.data.load import Loader
    from competition.data.manifest import Item
    from competition.ensemble.budget import Plan
    from competition.ensemble.build import Ensemble
    from competition.ensemble.inputs import BlendedExperiment
    from competition.ensemble.methods import Method
    from competition.store import ensembles
    from competition.store.experiments import Experiment


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
            min=0.0, metavar="SECONDS", help="Choose members whose inference takes no longer.", show_default="all"
        ),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="With --budget: how many images.", show_default="the test images"),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also show what each member does, and draw what changed.")
    ] = False,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Blend experiments, score the blend, predict.

    Blends out-of-fold probabilities, scores the blend exactly, and writes the test predictions.

    The weighted score is cross-fitted: the weights that score a fold were fitted without it. The in-sample score
    stands beside it and is optimistic. `auto` weights only where that gains more than one standard error, and
    `--postprocess` takes thresholds by class, then a smallest size, filled holes or the largest region alone, by the
    same rule.
    """
    from competition.cli.show import output
    from competition.cli.show.budget import draw_front, plan_budget, show_front
    from competition.cli.show.explanation import show_explanation, write_explanation
    from competition.cli.sources import member_of
    from competition.cli.writing import rounding
    from competition.data.load import open_loader
    from competition.ensemble.methods import Method
    from competition.store import ensembles

    if method not in list(Method):
        raise RefusedError(f"There is no method {method!r}.", hint=f"Methods: {', '.join(Method)}")
    if budget is None and images is not None:
        raise RefusedError("--images says nothing without --budget.", hint="Give --budget SECONDS.")
    if name is not None:
        check_name("an ensemble", name)
    opened = open_competition(folder)
    chosen = _chosen(opened, names or [])
    members = [member_of(opened, e) for e in chosen]
    called = name or _free_name(opened)
    items = _items(opened, chosen[0])
    loader = open_loader(opened.settings, opened.paths.root)
    planned = None if budget is None else plan_budget(opened, members, loader, items, limit_s=budget, images=images)
    if planned is not None:
        members = [member for member in members if member.name in planned.chosen.members]
    made = _build(opened, members, Method(method), loader, items, postprocess=postprocess)
    score = made.score if planned is None else planned.cross_fitted  # of members chosen without the images scored
    done = None if made.postprocessing is None else made.postprocessing.to_json(made.classes)
    record = ensembles.Ensemble(called, chosen[0].split_version, made.method, made.weights, score, 0.0, done)
    tested, doubtful = _keep(opened, record, made, members, planned, actor=actor_name(as_member))
    if planned is not None:
        draw_front(opened, called, planned)
    found = write_explanation(opened, called, members, made, loader, items) if explain else None
    if as_json:
        test = {"test_images": tested, "test_doubtful_share": doubtful}
        explained = {} if found is None else {"explanation": found.to_json()}
        limited = {} if planned is None else {"budget": planned.to_json()}
        output.print_json({"name": called, **limited, **test, **made.to_json(), **explained})
        return
    if planned is not None:
        show_front(opened, called, planned)
        output.out().print()
    _show(called, made)
    if found is not None:
        output.out().print()
        show_explanation(opened, called, found, made)
    where = opened.paths.ensemble(called).folder
    if tested:
        output.say(f"{tested} test predictions: {where / 'submission'}.{rounding(doubtful)}")
        output.say(f"Other formats: `comp submit {called} --format …`.")
    else:
        output.say("The competition has no test images, so there is no submission.")


def _chosen(opened: Competition, names: list[str]) -> list["Experiment"]:
    from competition.experiments.leaderboard import leaderboard
    from competition.store import experiments

    wanted = names or _with_probabilities(opened, [row.name for row in leaderboard(opened.store) if row.rank])
    found = [experiments.find(opened.store, name) for name in dict.fromkeys(wanted)]
    if not found:
        raise RefusedError("No experiment is complete yet.", hint="`comp leaderboard` says what is missing.")
    versions = {e.split_version for e in found}
    if len(versions) > 1:
        listed = ", ".join(f"{e.name} (v{e.split_version})" for e in found)
        oldest = min(found, key=lambda e: e.split_version)
        raise RefusedError(
            f"These ran on different splits, so what one of them never saw another was trained on: {listed}.",
            hint=f"`comp run --from {oldest.name}` runs it again on the current split; or blend those of one split.",
        )
    return found


def _with_probabilities(opened: Competition, names: list[str]) -> list[str]:
    """Those whose probabilities have not been pruned; says which have."""
    from competition.cli.show import output
    from competition.predictions import retention

    stored = {kept.experiment for kept in retention.find(opened.store)}
    pruned = [name for name in names if name not in stored]
    if pruned:
        output.say(f"Left out, because their probabilities were pruned: {', '.join(pruned)}.")
    return [name for name in names if name in stored]


def _items(opened: Competition, experiment: "Experiment") -> dict[str, "Item"]:
    """The labelled images, by id, that the experiment's split is of."""
    from competition.cli.sources import split_of
    from competition.data.manifest import Manifest

    manifest = Manifest.read(opened.paths.manifest(split_of(opened, experiment).fingerprint))
    return {item.id: item for item in manifest.items}


def _build(
    opened: Competition,
    members: list["BlendedExperiment"],
    method: "Method",
    loader: "Loader",
    items: dict[str, "Item"],
    *,
    postprocess: bool,
) -> "Ensemble":
    from competition.cli.show import output
    from competition.ensemble.build import build

    with output.progress_bar("Blending") as progress:
        return build(
            members,
            truth=lambda image_id: loader.labels(items[image_id]),
            metric=opened.settings.metric,
            method=method,
            groups={image_id: item.group for image_id, item in items.items()},
            postprocess=postprocess,
            progress=progress,
        )


def _keep(
    opened: Competition,
    record: "ensembles.Ensemble",
    made: "Ensemble",
    members: list["BlendedExperiment"],
    planned: "Plan | None",
    *,
    actor: str,
) -> tuple[int, float | None]:
    """Write the ensemble's files and its record; what `write_submission` says of the test images."""
    from competition.cli.sources import Blend
    from competition.cli.writing import write_submission
    from competition.files import write_json
    from competition.scoring import confusion
    from competition.store import ensembles

    paths = opened.paths.ensemble(record.name)
    images, doubtful = 0, None
    if members[0].test:
        blend = Blend(members, made.weights, made.method, made.postprocessing)
        images, doubtful = write_submission(opened, record.name, blend, "png", paths.folder / "submission")
    write_json(paths.weights, made.weights)
    write_json(paths.scores, made.to_json() | ({} if planned is None else {"budget": planned.to_json()}))
    confusion.save(paths.confusion, made.ids, made.confusion)
    ensembles.save(opened.store, record, actor=actor)
    return images, doubtful


def _free_name(opened: Competition) -> str:
    from competition.store import ensembles

    taken = {e.name for e in ensembles.every(opened.store)}
    number = 1
    while f"e{number}" in taken:
        number += 1
    return f"e{number}"


def _show(name: str, made: "Ensemble") -> None:
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
    weights = output.table("member", "weight", "alone", right=("weight", "alone"))
    for member, weight in made.weights.items():
        written = "by class" if isinstance(weight, list) else f"{weight:.3f}"
        output.add_row(weights, member, written, output.percent(made.singles[member]))
    output.out().print(weights)


def _sentences(made: "Ensemble") -> list[str]:
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
    if made.doubtful_share is not None:
        line = f"Rounding to bytes may have decided {100 * made.doubtful_share:.3f} % of the pixels, and no others"
        if made.bounds is not None:
            low, high = map(output.percent, made.bounds)
            line += f": unrounded, the final weights score {low} to {high}, in-sample"
        lines.append(f"{line}.")
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
