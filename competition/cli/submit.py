"""`comp submit`: write a submission in the format that the competition wants, and record it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from competition.cli import advise
from competition.cli.options import (
    AsOption,
    Competition,
    DirOption,
    ForceOption,
    JsonOption,
    acting_member,
    open_competition,
)
from competition.errors import CompError, RefusedError, UnknownNameError
from competition.team import Right

if TYPE_CHECKING:
    from competition.ensemble.blend import Weight
    from competition.ensemble.members import Member
    from competition.ensemble.methods import Method
    from competition.ensemble.writers import Format, Layout
    from competition.ensemble.writers.check import Witness
    from competition.store.submissions import Recorded


@dataclass(frozen=True)
class Blend:
    """What makes the test predictions."""

    members: list["Member"]
    weights: Mapping[str, "Weight"]
    method: "Method"


@dataclass(frozen=True)
class Source:
    """What is submitted: an ensemble or an experiment, the share of each member, and the score out of fold."""

    name: str
    blend: Blend
    shares: dict[str, float]
    split_version: int
    cv: float | None


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(epilog="Example: comp submit e1 --format rle-csv --sample sample_submission.csv")(submit)


def submit(
    source: Annotated[
        str | None, typer.Argument(metavar="ENSEMBLE|EXPERIMENT", help="What to submit.", show_default=False)
    ] = None,
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
    kaggle: Annotated[
        str | None,
        typer.Option(metavar="COMPETITION", help="Also hand it in, with the `kaggle` command and your credentials."),
    ] = None,
    advise_finals: Annotated[
        bool, typer.Option("--advise", help="Submit nothing; say which two to choose in the end.")
    ] = False,
    as_member: AsOption = None,
    force: ForceOption = False,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a submission file, and record it.

    Blends the test predictions of every fold model of every member. Masks have the test images' own size. It counts
    towards the team's submissions of today (UTC); the same file again does not.
    """
    from competition.cli import output
    from competition.cli.upload import check_upload, upload
    from competition.ensemble.writers import Format
    from competition.ensemble.writers.check import Witness, check
    from competition.ensemble.writers.sample import read_sample
    from competition.store import members, submissions

    if form not in list(Format):
        raise UnknownNameError.among("format", form, list(Format), hint=f"Formats: {', '.join(Format)}")
    chosen = Format(form)
    opened = open_competition(folder)
    if advise_finals:
        advise.show(opened, as_json=as_json)
        return
    if source is None:
        raise CompError("What is to be submitted?", hint="`comp submit ENSEMBLE` (or an experiment), or --advise.")
    member = members.find(opened.store, acting_member(opened.store, as_member))
    if not opened.settings.data.test_images:
        raise RefusedError("The competition has no test images, so there is nothing to submit.")
    found = find_source(opened, source)
    layout = _layout(opened, chosen, sample=sample, size=size)
    wanted = read_sample(against) if against else None
    if kaggle is not None:
        check_upload(chosen)
    members.require_right(opened.store, member, Right.SUBMIT, force=force)
    if not force:
        submissions.check_quota(opened.store, opened.settings.submissions_per_day)
    target = output_path or opened.paths.submissions() / f"{source}-{form}{chosen.suffix}"
    witness = Witness(chosen, layout)
    images, doubtful = _write(opened, found.blend, target, witness)
    if wanted is not None:
        check(target, wanted, witness)
        output.say(f"Checked against {against}: columns, ids and order are the same, and every mask decodes.")
    recorded = _record(opened, found, form, target, images, member=member.name, force=force)
    if kaggle is not None:
        upload(opened, recorded, target, kaggle, actor=member.name)
    made = recorded.submission
    if as_json:
        checked = None if against is None else str(against)
        output.print_json(
            {
                **made.to_json(),
                "path": str(target),
                "new": recorded.is_new,
                "checked": checked,
                "doubtful_share": doubtful,
            }
        )
        return
    output.print_lines(str(target))
    output.say(f"{images} test images of {source} as {form}, sha256 {made.sha256[:12]}.{rounding(doubtful)}")
    if recorded.is_new:
        output.say(f"Submission {made.id}. When the board has answered: `comp score {made.id} --public SCORE`.")
    else:
        output.say(f"It is submission {made.id} already ({made.source}, {made.day}): the same file counts once.")


def _record(
    opened: Competition, found: Source, form: str, target: Path, images: int, *, member: str, force: bool
) -> "Recorded":
    from competition.files import sha256_of_tree
    from competition.store import submissions

    draft = submissions.Draft(
        source=found.name,
        format=form,
        path=str(target),
        sha256=sha256_of_tree(target),
        images=images,
        member=member,
        split_version=found.split_version,
        cv=found.cv,
        weights=found.shares,
    )
    return submissions.record(opened.store, draft, per_day=opened.settings.submissions_per_day, force=force)


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


def find_source(opened: Competition, name: str) -> Source:
    """The ensemble or experiment called `name`.

    Raises:
        UnknownNameError: there is none.
        RefusedError: an experiment in it is not complete.
    """
    from competition.cli.ensemble import member_of
    from competition.ensemble.methods import Method
    from competition.store import ensembles, experiments
    from competition.store.leaderboard import leaderboard

    blends = {blend.name: blend for blend in ensembles.every(opened.store)}
    if name in blends:
        blend = blends[name]
        found = Blend(_members(opened, blend.weights), blend.weights, Method(blend.method))
        return Source(name, found, blend.shares, blend.split_version, blend.score)
    if experiments.exists(opened.store, name):
        alone = experiments.find(opened.store, name)
        found = Blend([member_of(opened, alone)], {name: 1.0}, Method.MEAN)
        return Source(name, found, {name: 1.0}, alone.split_version, alone.score)
    known = [*blends, *(row.name for row in leaderboard(opened.store))]
    raise UnknownNameError.among("ensemble or experiment", name, known)


def _members(opened: Competition, names: Iterable[str]) -> "list[Member]":
    from competition.cli.ensemble import member_of
    from competition.store import experiments

    return [member_of(opened, experiments.find(opened.store, name)) for name in names]
