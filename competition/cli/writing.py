"""Writing test predictions in the format that a competition wants."""

from pathlib import Path
from typing import TYPE_CHECKING

from competition.api import Competition
from competition.cli.sources import Blend
from competition.errors import CompError

if TYPE_CHECKING:
    from competition.submission.formats import Format
    from competition.submission.layout import Layout
    from competition.submission.readback import Readback


def write_submission(
    opened: Competition, source: str, blend: Blend, form: str, target: Path
) -> tuple[int, float | None]:
    """Blend the members' test predictions and write them to `target`.

    Returns:
        The number of images, and the share of their pixels that rounding may have decided, where that is known.
    """
    from competition.submission.formats import Format
    from competition.submission.readback import Readback

    return write(opened, source, blend, target, Readback(Format(form), layout_of(opened, Format(form))))


def rounding(doubtful: float | None) -> str:
    """What there is to say about rounding, to put behind a sentence."""
    if doubtful is None:
        return ""
    return f" Rounding to bytes may have decided {100 * doubtful:.3f} % of the pixels, and no others."


def write(
    opened: Competition, source: str, blend: Blend, target: Path, readback: "Readback"
) -> tuple[int, float | None]:
    """As `write_submission`, in the witness's format and layout. What was killed goes on where it was."""
    from competition.cli.show import output
    from competition.ensemble import spool
    from competition.ensemble.predict import Predictions
    from competition.submission import formats

    layout, unfinished = readback.layout, opened.paths.unfinished_blend(source)
    with output.progress_bar("Writing test predictions") as progress:
        order = list(layout.ids.values()) or None
        made = Predictions(
            blend.members,
            blend.weights,
            method=blend.method,
            postprocessing=blend.postprocessing,
            progress=progress,
            order=order,
            keep=unfinished,
        )
        named = ((image_id, layout.images[image_id], mask) for image_id, mask in made)
        images = formats.write(readback.form, readback.watch(named), target, layout)
    spool.remove(unfinished)
    if made.taken_over:
        output.say(f"{made.taken_over} of {images} images had been blended before, by a run that did not end.")
    return images, made.doubtful_share


def layout_of(opened: Competition, form: "Format", *, sample: Path | None = None, size: str | None = None) -> "Layout":
    """What the submission should look like; a sample that does not fit the test images is refused here."""
    from competition.cli.image_checks import read_manifest
    from competition.submission.formats import Format
    from competition.submission.layout import DEFAULT_SIZE, Layout, parse_colour
    from competition.submission.sample import read_sample

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
