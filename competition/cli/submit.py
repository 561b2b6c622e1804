"""`comp submit`: write a submission in the format that the competition wants."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from competition.cli.options import AsOption, Competition, DirOption, JsonOption, acting_member, open_competition
from competition.errors import CompError, RefusedError, UnknownNameError

if TYPE_CHECKING:
    from competition.ensemble.blend import Weight
    from competition.ensemble.members import Member
    from competition.ensemble.methods import Method
    from competition.ensemble.writers import Format, Layout
    from competition.ensemble.writers.check import Witness


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp submit e1 --format rle-csv --sample sample_submission.csv")(submit)


def submit(
    source: Annotated[str, typer.Argument(metavar="ENSEMBLE|EXPERIMENT", help="What to submit.", show_default=False)],
    form: Annotated[
        str, typer.Option("--format", help="png, color-png, rle-csv, labels-csv or coco-json.", show_default="png")
    ] = "png",
    sample: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Sample submission: its columns, ids and order are kept.")
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="HxW", help="labels-csv: of the label maps.", show_default="256x256")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            "--check", metavar="CSV", help="Compare with a sample submission, and decode all that was written."
        ),
    ] = None,
    output_path: Annotated[
        Path | None, typer.Option("--output", metavar="PATH", help="Where to.", show_default="runs/submissions/")
    ] = None,
    as_member: AsOption = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a submission file.

    Blends the test predictions of every fold model of every member. Masks have the test images' own size.
    """
    from competition.cli import output
    from competition.ensemble.writers import Format
    from competition.ensemble.writers.check import Witness, check
    from competition.ensemble.writers.sample import read_sample
    from competition.files import sha256_of_tree
    from competition.store import submissions

    if form not in list(Format):
        raise UnknownNameError.among("format", form, list(Format), hint=f"Formats: {', '.join(Format)}")
    chosen = Format(form)
    opened = open_competition(folder)
    member = acting_member(opened.store, as_member)
    blend = _resolve(opened, source)
    layout = _layout(opened, chosen, sample=sample, size=size)
    wanted = read_sample(against) if against else None
    target = output_path or opened.paths.submissions() / f"{source}-{form}{chosen.suffix}"
    witness = Witness(chosen, layout)
    images, doubtful = _write(opened, blend, target, witness)
    if wanted is not None:
        check(target, wanted, witness)
        output.say(f"Checked against {against}: columns, ids and order are the same, and every mask decodes.")
    sha = sha256_of_tree(target)
    submissions.record(opened.store, submissions.Submission(source, form, str(target), sha, images, member))
    if as_json:
        checked = None if against is None else str(against)
        made = {"path": str(target), "format": form, "images": images, "sha256": sha, "checked": checked}
        output.print_json({**made, "doubtful_share": doubtful})
        return
    output.print_lines(str(target))
    output.say(f"{images} test images of {source} as {form}, sha256 {sha[:12]}.{rounding(doubtful)}")


@dataclass(frozen=True)
class Blend:
    """What makes the test predictions."""

    members: list["Member"]
    weights: Mapping[str, "Weight"]
    method: "Method"


def write_submission(opened: Competition, blend: Blend, form: str, target: Path) -> tuple[int, float | None]:
    """Blend the members' test predictions and write them to `target`.

    Returns:
        The number of images, and the share of their pixels that rounding may have decided, where that is known.
    """
    from competition.ensemble.writers import Format
    from competition.ensemble.writers.check import Witness

    return _write(opened, blend, target, Witness(Format(form), _layout(opened, Format(form))))


def rounding(doubtful: float | None) -> str:
    """What there is to say about rounding, to put behind a sentence."""
    if doubtful is None:
        return ""
    return f" Rounding to bytes may have decided {100 * doubtful:.3f} % of the pixels, and no others."


def _write(opened: Competition, blend: Blend, target: Path, witness: "Witness") -> tuple[int, float | None]:
    from competition.cli import output
    from competition.ensemble.predictions import Predictions
    from competition.ensemble.writers import write

    layout = witness.layout
    with output.progress_bar("Writing test predictions") as progress:
        order = list(layout.ids.values()) or None
        made = Predictions(blend.members, blend.weights, method=blend.method, progress=progress, order=order)
        named = ((image_id, layout.images[image_id], mask) for image_id, mask in made)
        images = write(witness.form, witness.watch(named), target, layout)
    return images, made.doubtful_share


def _layout(opened: Competition, form: "Format", *, sample: Path | None = None, size: str | None = None) -> "Layout":
    """What the submission should look like; a sample that does not fit the test images is refused here."""
    from competition.cli.study import read_manifest
    from competition.ensemble.writers import Format, Layout
    from competition.ensemble.writers.layout import DEFAULT_SIZE, parse_colour
    from competition.ensemble.writers.sample import read_sample

    if sample is not None and not form.follows_sample:
        raise CompError(f"--sample says nothing to {form}.", hint="It is for rle-csv and labels-csv.")
    if size is not None and form is not Format.LABELS_CSV:
        raise CompError(f"--size says nothing to {form}, which keeps the test images' own size.")
    colours = {name: parse_colour(colour) for colour, name in reversed((opened.settings.data.colors or {}).items())}
    images, categories = _coco_numbers(opened) if form is Format.COCO_JSON else ({}, {})
    layout = Layout(
        classes=opened.settings.classes,
        images={item.id: item.image for item in read_manifest(opened).test},
        size=_parse_size(size) if size else DEFAULT_SIZE,
        colours=colours,
        sample=read_sample(sample) if sample else None,
        image_numbers=images,
        category_numbers=categories,
    )
    if layout.sample is not None:
        _ = layout.ids
    return layout


def _coco_numbers(opened: Competition) -> tuple[dict[str, int], dict[str, int]]:
    """The ids of the test images by file name, and of the classes by name, in the competition's COCO files."""
    from competition.data.readers.coco import read_coco

    data, root = opened.settings.data, opened.paths.root
    images = read_coco(root / data.test_coco).images.values() if data.test_coco else ()
    categories = read_coco(root / data.coco).category_ids if data.coco else {}
    return {image.file_name: image.id for image in images}, dict(categories)


def _parse_size(text: str) -> tuple[int, int]:
    height, cross, width = text.lower().partition("x")
    if not (cross and height.isdecimal() and width.isdecimal() and int(height) and int(width)):
        raise CompError(f"--size {text!r} is no size such as 256x256 (height x width).")
    return int(height), int(width)


def _resolve(opened: Competition, source: str) -> Blend:
    """The members, weights and method behind an ensemble's or an experiment's name."""
    from competition.cli.ensemble import member_of
    from competition.ensemble.methods import Method
    from competition.store import ensembles, experiments
    from competition.store.leaderboard import leaderboard

    if not opened.settings.data.test_images:
        raise RefusedError("The competition has no test images, so there is nothing to submit.")
    blends = {e.name: e for e in ensembles.every(opened.store)}
    if source in blends:
        weights, method = blends[source].weights, Method(blends[source].method)
    elif experiments.exists(opened.store, source):
        weights, method = {source: 1.0}, Method.MEAN
    else:
        known = [*blends, *(row.name for row in leaderboard(opened.store))]
        raise UnknownNameError.among("ensemble or experiment", source, known)
    members = [member_of(opened, experiments.find(opened.store, name)) for name in weights]
    return Blend(members, weights, method)
