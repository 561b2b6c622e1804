"""Whether a written submission is what the competition wants, and holds what was predicted."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from competition.data.readers.csvfile import read_csv
from competition.errors import DataError, all_problems
from competition.scoring.confusion import Labels
from competition.submission.formats import Format, held, read_back
from competition.submission.layout import Layout, Prediction
from competition.submission.sample import Sample


@dataclass
class Readback:
    """Remembers what was predicted while it is written: a hash of what the format keeps of each label map."""

    form: Format
    layout: Layout
    hashes: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def watch(self, predictions: Iterable[Prediction]) -> Iterator[Prediction]:
        """The same predictions, each noted as it passes."""
        for image_id, name, labels in predictions:
            self.hashes[image_id] = _hash(held(self.form, labels, self.layout))
            self.sizes[image_id] = (labels.shape[0], labels.shape[1])
            yield image_id, name, labels


def check(target: Path, sample: Sample, readback: Readback) -> None:
    """Do nothing if a submission has the sample's columns, ids and order, and decodes to what was predicted.

    Raises:
        DataError: it does not; names everything that is wrong.
    """
    problems = [*_shape_problems(target, sample, readback), *_content_problems(target, readback)]
    if problems:
        raise DataError(
            all_problems(f"{target} must not be handed in", problems),
            hint=f"--sample {sample.path} writes the rows that the sample has, in its order."
            if readback.form.follows_sample and readback.layout.sample is None
            else None,
        )


def _shape_problems(target: Path, sample: Sample, readback: Readback) -> Iterator[str]:
    """What differs from the sample: columns and rows of a CSV, images of the other formats."""
    if not readback.form.follows_sample:
        try:
            sample.match(readback.layout.images)
        except DataError as error:
            yield error.message
        return
    written = read_csv(target)
    if written.columns != sample.columns:
        yield f"the columns are {', '.join(written.columns)}; the sample has {', '.join(sample.columns)}."
        return
    keys = [c for c in sample.columns if c != sample.value_column]
    ours = [tuple(row[c] for c in keys) for _, row in written.rows]
    theirs = [tuple(row[c] for c in keys) for row in sample.rows]
    missing, extra = set(theirs) - set(ours), set(ours) - set(theirs)
    for what, rows in (("has no row for", missing), ("has a row too many for", extra)):
        if rows:
            yield f"it {what} {_listed(rows)}."
    if len(ours) != len(set(ours)):
        yield f"{len(ours) - len(set(ours))} of its rows stand there twice."
    elif not missing and not extra and ours != theirs:
        place = next(n for n, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b)
        yield f"row {place + 1} is {', '.join(ours[place])}; in the sample it is {', '.join(theirs[place])}."


def _content_problems(target: Path, readback: Readback) -> Iterator[str]:
    """Images that do not decode to what was predicted."""
    names = _names(readback)
    try:
        found = read_back(
            readback.form, target, readback.layout, {names[i]: size for i, size in readback.sizes.items()}
        )
    except DataError as error:
        yield error.message
        return
    for image_id, expected in readback.hashes.items():
        labels = found.get(names[image_id])
        if labels is None:
            yield f"it holds no prediction for {image_id}."
        elif _hash(labels) != expected:
            yield f"the prediction for {image_id} does not decode to what was written."


def _names(readback: Readback) -> Mapping[str, str]:
    """What the format calls each image, by its id."""
    layout = readback.layout
    if readback.form.follows_sample and layout.sample is not None:
        return {image_id: name for name, image_id in layout.ids.items()}
    if readback.form is Format.LABELS_CSV:
        return {image_id: layout.images[image_id] for image_id in readback.sizes}
    return {image_id: image_id for image_id in readback.sizes}


def _listed(rows: Iterable[tuple[str, ...]], most: int = 3) -> str:
    shown = sorted(rows)
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return "; ".join(", ".join(row) for row in shown[:most]) + more


def _hash(labels: Labels) -> str:
    return hashlib.sha256(f"{labels.shape}".encode() + labels.tobytes()).hexdigest()
