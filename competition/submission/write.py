"""Writing test predictions in the form that a competition wants."""

from pathlib import Path

from competition.config.settings import Settings
from competition.data.manifest import Manifest
from competition.data.parallel import Progress
from competition.data.readers.coco import read_coco
from competition.ensemble.predict import WrittenPredictions, write_predictions
from competition.ensemble.source import Source
from competition.errors import CompError
from competition.paths import Paths
from competition.store import competition
from competition.store.engine import Store
from competition.submission import formats
from competition.submission.formats import Format
from competition.submission.layout import DEFAULT_SIZE, Layout, parse_colour
from competition.submission.readback import Readback
from competition.submission.sample import read_sample


def write_source(
    paths: Paths, source: Source, target: Path, readback: Readback, *, progress: Progress | None = None
) -> WrittenPredictions:
    """Predict the test images and write them to `target`; a call that was killed goes on where it was.

    Args:
        readback: the format and the layout; it remembers what is written.

    Raises:
        RefusedError, DataError: see `formats.write` and `ensemble.predict.Predictions`.
    """
    layout = readback.layout
    return write_predictions(
        source.blend,
        lambda label_maps: formats.write(
            readback.form,
            readback.watch((image_id, layout.images[image_id], labels) for image_id, labels in label_maps),
            target,
            layout,
        ),
        unfinished=paths.unfinished_blend(source.name),
        order=list(layout.ids.values()) or None,
        progress=progress,
    )


def make_layout(
    store: Store,
    settings: Settings,
    form: Format,
    *,
    sample: Path | None = None,
    size: tuple[int, int] | None = None,
) -> Layout:
    """What a submission in this format looks like.

    Args:
        sample: a sample submission, whose columns, ids and order are kept.
        size: (height, width) of the label maps in labels-csv.

    Raises:
        CompError: the format has no use for `sample` or `size`.
        DataError: the sample does not fit the test images.
    """
    if sample is not None and not form.follows_sample:
        raise CompError(f"--sample does not apply to {form}.", hint="It is for rle-csv and labels-csv.")
    if size is not None and form is not Format.LABELS_CSV:
        raise CompError(
            f"--size does not apply to {form}, which keeps the test images' own size.", hint="It is for labels-csv."
        )
    manifest = Manifest.read(store.paths.manifest(competition.fingerprint(store)))
    images, categories = _coco_numbers(settings, store.paths.root) if form is Format.COCO_JSON else ({}, {})
    layout = Layout(
        classes=settings.classes,
        images={item.id: item.image for item in manifest.test},
        size=size or DEFAULT_SIZE,
        colours={name: parse_colour(colour) for colour, name in reversed((settings.data.colors or {}).items())},
        sample=read_sample(sample) if sample else None,
        image_numbers=images,
        category_numbers=categories,
    )
    _ = layout.ids  # refuses a sample that does not fit, before anything is written
    return layout


def _coco_numbers(settings: Settings, root: Path) -> tuple[dict[str, int], dict[str, int]]:
    """The ids of the test images by file name, and of the classes by name, in the competition's COCO files."""
    data = settings.data
    images = read_coco(root / data.test_coco).images.values() if data.test_coco else ()
    categories = read_coco(root / data.coco).category_ids if data.coco else {}
    return {image.file_name: image.id for image in images}, dict(categories)
