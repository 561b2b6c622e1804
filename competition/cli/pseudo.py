"""`comp pseudo`: test predictions that are sure enough, as further images to train on."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from competition.api import Competition, open_competition
from competition.cli.options import AsOption, DirOption, JsonOption, actor_name
from competition.errors import RefusedError
from competition.names import check_name

if TYPE_CHECKING:
    from competition.ensemble.pseudo import Made
    from competition.store.experiments import Experiment


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp pseudo e1 --threshold 0.95 --name sure")(pseudo)


def pseudo(
    source: Annotated[
        str, typer.Argument(metavar="ENSEMBLE|EXPERIMENT", help="Whose test predictions.", show_default=False)
    ],
    threshold: Annotated[
        float, typer.Option(min=0, max=1, metavar="T", help="Label pixels whose class has this mean probability.")
    ] = 0.9,
    name: Annotated[str | None, typer.Option(help="What to call the set.", show_default="p1, p2, …")] = None,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Label the test images with what an ensemble is sure of.

    Other pixels are void. Each fold gets labels of its own: from the members' models of that fold, which never saw its
    validation images; all members count the same, whatever the ensemble's weights. Train on them with `comp run --set
    data.pseudo=NAME`.
    """
    from competition.cli.image_checks import read_manifest
    from competition.cli.show import output
    from competition.cli.sources import find_source
    from competition.ensemble.pseudo import make
    from competition.store import events

    opened = open_competition(folder)
    called = _check_name(opened, name) if name is not None else _free_name(opened)
    if not threshold:
        raise RefusedError("--threshold 0 would label every pixel, however unsure.", hint="Take one such as 0.9.")
    found = find_source(opened, source)
    with output.progress_bar("Labelling") as progress:
        made = make(
            called,
            opened.paths.pseudo(called),
            found.blend.members,
            read_manifest(opened),
            source=source,
            threshold=threshold,
            progress=progress,
        )
    why = f"from {source}, threshold {threshold:g}"
    events.note(opened.store, actor=actor_name(as_member), subject=called, action="pseudo-labels made", why=why)
    _warn(opened, made)
    if as_json:
        output.print_json(_to_json(made))
        return
    _show(made)
    output.say(
        f"Train on them: `comp run --set data.pseudo={called}`. They lie in {opened.paths.pseudo(called).folder}."
    )


def _check_name(opened: Competition, name: str) -> str:
    check_name("a set of pseudo-labels", name)
    if name == "none" or not re.fullmatch(r"[\w.-]+", name):
        raise RefusedError(f"{name!r} cannot be the name of a set of pseudo-labels: data.pseudo={name} means another.")
    if opened.paths.pseudo(name).folder.exists():
        raise RefusedError(f"There is a set of pseudo-labels {name!r} already.", hint="Choose another --name.")
    return name


def _free_name(opened: Competition) -> str:
    number = 1
    while opened.paths.pseudo(f"p{number}").folder.exists():
        number += 1
    return f"p{number}"


def _show(made: "Made") -> None:
    from competition.cli.show import output

    folds = len(made.images)
    table = output.table("class", "predicted", "kept", "share", right=("predicted", "kept", "share"), wrap=("class",))
    predicted, kept = made.predicted.sum(axis=0) / folds, made.kept.sum(axis=0) / folds
    for label, of_class, sure in zip(made.labels.facts.classes, predicted, kept, strict=True):
        share = f"{100 * sure / of_class:.1f} %" if of_class else output.NOTHING
        output.add_row(table, label, f"{of_class:.0f}", f"{sure:.0f}", share)
    output.out().print(table)
    output.out().print()
    most, fewest = max(made.images), min(made.images)
    images = str(most) if most == fewest else f"{fewest} to {most}"
    each = f" in each of {folds} folds (pixels above: the mean)" if folds > 1 else ""
    output.print_lines(f"{made.labels.pinned}: {images} test images{each}.")


def _warn(opened: Competition, made: "Made") -> None:
    """What the labels lack, and what they know of the validation images all the same."""
    from competition.cli.show import output
    from competition.store import experiments

    facts = made.labels.facts
    lacking = [name for name, kept in zip(facts.classes, made.kept.sum(axis=0), strict=True) if not kept]
    if lacking:
        output.say(f"Not a single pixel of {', '.join(lacking)}: the extension teaches the other classes alone.")
    peeking = [name for name in facts.members if _chose_by_its_fold(experiments.find(opened.store, name))]
    if peeking:
        output.say(
            f"{', '.join(peeking)} chose an epoch by the validation fold (train.checkpoint, train.patience), so these "
            "labels know that little of it."
        )


def _chose_by_its_fold(experiment: "Experiment") -> bool:
    from competition.config.experiment import Chosen

    train = experiment.config.train
    return train.checkpoint is Chosen.BEST or train.patience > 0


def _to_json(made: "Made") -> dict[str, object]:
    facts = made.labels.facts
    return {
        "name": made.labels.name,
        "pinned": made.labels.pinned,
        "source": facts.source,
        "members": list(facts.members),
        "threshold": facts.threshold,
        "folds": [
            {
                "fold": fold,
                "images": images,
                "predicted": dict(zip(facts.classes, predicted, strict=True)),
                "kept": dict(zip(facts.classes, kept, strict=True)),
            }
            for fold, (images, predicted, kept) in enumerate(
                zip(made.images, made.predicted.tolist(), made.kept.tolist(), strict=True)
            )
        ],
    }
