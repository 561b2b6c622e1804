"""The index: reads every image and label once, and writes down sizes, hashes and pixel counts or all problems."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from PIL import Image

from competition.config.settings import IGNORE_INDEX, Settings
from competition.data.groups import find_groups
from competition.data.images import measure_image, read_bytes
from competition.data.index_resume import ResumeFile, key_of, open_resume_file
from competition.data.manifest import Item, Manifest
from competition.data.parallel import Progress, in_threads
from competition.data.readers.choose import find_test, reader_of
from competition.data.readers.source import Reader, Source
from competition.errors import DataError, all_problems

_MOST_VALUES = 8
"""A mask saved as JPEG holds hundreds of wrong values; the most frequent ones say enough."""


@dataclass(frozen=True)
class IndexedData:
    """The manifest, and notes on how comp understood the data."""

    manifest: Manifest
    notes: tuple[str, ...]


def index_data(
    settings: Settings, root: Path, *, resume_file: Path | None = None, progress: Progress | None = None
) -> IndexedData:
    """The manifest of the data that `settings` describe; relative paths start at `root`.

    Every file is read, hashed and decoded, on all cores.

    Args:
        resume_file: keeps the images indexed so far. If the index is interrupted, even killed, the next one continues
            from there. An index that ends, with or without an error, removes the file.

    Raises:
        DataError: something is wrong with the data; names every problem.
    """
    reader = reader_of(settings, root)
    train, test = reader.find(), find_test(settings, root)
    groups = find_groups([source.id for source in train.sources], settings.data, root)
    with open_resume_file(resume_file, settings) as resume:
        index_image = partial(_index_image, resume, reader, len(settings.classes))
        results = in_threads(index_image, [*train.sources, *test.sources], progress=progress)
    problems = [
        *_value_problems(results, settings),
        *(problem for result in results for problem in result.problems),
        *groups.problems,
        *train.problems,
        *test.problems,
    ]
    if problems:
        raise DataError(all_problems("The data cannot be used as it is", problems), hint=_hint(results, settings))
    items = [result.item for result in results if result.item is not None]
    manifest = Manifest(
        items=tuple(replace(item, group=groups.of.get(item.id, "")) for item in items if item.is_labelled),
        test=tuple(item for item in items if not item.is_labelled),
    )
    return IndexedData(manifest, train.notes)


@dataclass(frozen=True)
class _Result:
    """The index of one image and its label; `item` is None if they cannot be used."""

    source: Source
    item: Item | None
    problems: tuple[str, ...] = ()
    unknown: dict[str, int] = field(default_factory=dict)
    """Pixels of each mask value that is neither a class nor void."""


def _index_image(resume: ResumeFile, reader: Reader, classes: int, source: Source) -> _Result:
    key = key_of(source)
    item = resume.find(key)
    if item is not None:
        return _Result(source, item)
    result = _read_image(reader, classes, source)
    if result.item is not None and not result.problems and not result.unknown:
        resume.add(key, result.item)
    return result


def _read_image(reader: Reader, classes: int, source: Source) -> _Result:
    problems: list[str] = []
    size, image_sha256 = _measure(source.path, problems)
    item = Item(source.id, source.image, "", "", *size, image_sha256, "", (), 0)
    if not source.mask:
        return _Result(source, None if problems else item, tuple(problems))
    try:
        labels = reader.read_labels(source.id, source.mask, size=size)
    except DataError as error:
        return _Result(source, None, (*problems, error.message))
    if problems:
        return _Result(source, None, tuple(problems), dict(labels.unknown))
    if labels.pixels.shape != size:
        sizes = "{}x{}, but its mask is {}x{} (height x width)".format(*size, *labels.pixels.shape)
        problems.append(f"The image {source.image} is {sizes}.")
    counts = Image.fromarray(labels.pixels).histogram()  # twice as fast as numpy's bincount
    item = replace(
        item,
        mask=source.mask,
        mask_sha256=labels.sha256,
        pixels=tuple(counts[:classes]),
        void=counts[IGNORE_INDEX],
    )
    return _Result(source, item, tuple(problems), dict(labels.unknown))


def _measure(path: Path, problems: list[str]) -> tuple[tuple[int, int], str]:
    """The (height, width) of an image and the sha256 of its bytes; adds to `problems` if it cannot be read."""
    try:
        data = read_bytes(path)
        return measure_image(data, path), hashlib.sha256(data).hexdigest()
    except DataError as error:
        problems.append(error.message)
        return (0, 0), ""


def _value_problems(results: Sequence[_Result], settings: Settings) -> Iterator[str]:
    """A line for each mask value that is neither a class nor void, the most frequent first."""
    pixels: Counter[str] = Counter()
    masks_with: dict[str, list[str]] = {}
    for result in results:
        pixels.update(result.unknown)
        for value in result.unknown:
            masks_with.setdefault(value, []).append(result.source.mask)
    masks = sum(bool(result.source.mask) for result in results)
    for value, count in pixels.most_common(_MOST_VALUES):
        where = f"{count} pixels in {len(masks_with[value])} of {masks} masks, first in {masks_with[value][0]}"
        yield f"Mask {value} {_meaningless(settings)}: {where}."
    if len(pixels) > _MOST_VALUES:
        yield f"{len(pixels) - _MOST_VALUES} more mask values have no meaning either."


def _meaningless(settings: Settings) -> str:
    if settings.data.colors is not None:
        return "is not in the list of colours"
    classes = "0, 1, 255 or 65535" if settings.data.binary else f"a class (0..{len(settings.classes) - 1})"
    return f"is not {classes}" if settings.void is None else f"is neither {classes} nor void ({settings.void})"


def _hint(results: Sequence[_Result], settings: Settings) -> str:
    """The fix; longer if masks hold values without a meaning."""
    fix = "Fix these problems and run the command again."
    if not any(result.unknown for result in results):
        return fix
    if settings.data.colors is not None:
        return (
            "The file of --colors must list every colour (name,#rrggbb). --tolerance N also accepts colours that "
            f"differ by at most N per channel from a listed one. {fix}"
        )
    if settings.data.binary:
        return f"If pixels of such a value should not be scored, say so: --void VALUE. {fix}"
    return (
        "Masks must hold the index of each pixel's class, from 0, in the order of the classes. If they hold 0 and 255, "
        "use --binary; if they hold colours, --colors FILE. If pixels of a value should not be scored, use "
        f"--void VALUE. {fix}"
    )
