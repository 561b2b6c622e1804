"""Looking at every image and label once: what is there, whether it can be used, and how much of each class."""

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
from competition.data.journal import Journal, key_of, open_journal
from competition.data.manifest import Item, Manifest
from competition.data.parallel import Progress, in_threads
from competition.data.readers.choose import find_test, reader_of
from competition.data.readers.source import Reader, Source
from competition.errors import DataError, all_problems

_MOST_VALUES = 8
"""A mask saved as JPEG holds hundreds of wrong values; naming the commonest is enough."""


@dataclass(frozen=True)
class Indexed:
    """The manifest, and what a person should know about how the data was understood."""

    manifest: Manifest
    notes: tuple[str, ...]


def index(settings: Settings, root: Path, *, journal: Path | None = None, progress: Progress | None = None) -> Manifest:
    """`index_data`, for those who want the manifest alone."""
    return index_data(settings, root, journal=journal, progress=progress).manifest


def index_data(
    settings: Settings, root: Path, *, journal: Path | None = None, progress: Progress | None = None
) -> Indexed:
    """The manifest of the data that `settings` describe; relative paths start at `root`.

    Every file is read, hashed and decoded, on all cores.

    Args:
        journal: a file to keep what has been looked at in. An index that was interrupted, even killed, goes on from
            there; one that has ended, well or with an error, removes it.

    Raises:
        DataError: something is wrong with the data; names everything that is.
    """
    reader = reader_of(settings, root)
    found, test = reader.find(), find_test(settings, root)
    groups = find_groups([source.id for source in found.labelled], settings.data, root)
    with open_journal(journal, settings) as done:
        look = partial(_look, done, reader, len(settings.classes))
        looks = in_threads(look, [*found.labelled, *test.labelled], progress=progress)
    problems = [
        *_value_problems(looks, settings),
        *(problem for look in looks for problem in look.problems),
        *groups.problems,
        *found.problems,
        *test.problems,
    ]
    if problems:
        raise DataError(all_problems("The data cannot be used as it is", problems), hint=_hint(looks, settings))
    items = [look.item for look in looks if look.item is not None]
    manifest = Manifest(
        items=tuple(replace(item, group=groups.of.get(item.id, "")) for item in items if item.is_labelled),
        test=tuple(item for item in items if not item.is_labelled),
    )
    return Indexed(manifest, found.notes)


@dataclass(frozen=True)
class _Look:
    """What one image and its label turned out to be; `item` is None where they cannot be used."""

    source: Source
    item: Item | None
    problems: tuple[str, ...] = ()
    unknown: dict[str, int] = field(default_factory=dict)
    """Pixels of each mask value that is neither a class nor void."""


def _look(done: Journal, reader: Reader, classes: int, source: Source) -> _Look:
    key = key_of(source)
    known = done.find(key)
    if known is not None:
        return _Look(source, known)
    look = _look_anew(reader, classes, source)
    if look.item is not None and not look.problems and not look.unknown:
        done.add(key, look.item)
    return look


def _look_anew(reader: Reader, classes: int, source: Source) -> _Look:
    problems: list[str] = []
    size, image_sha256 = _measured(source.path, problems)
    item = Item(source.id, source.image, "", "", *size, image_sha256, "", (), 0)
    if not source.mask:
        return _Look(source, None if problems else item, tuple(problems))
    try:
        labels = reader.read_labels(source.id, source.mask, size=size)
    except DataError as error:
        return _Look(source, None, (*problems, error.message))
    if problems:
        return _Look(source, None, tuple(problems), dict(labels.unknown))
    if labels.pixels.shape != size:
        sizes = "{}x{}, its mask {}x{} (height x width)".format(*size, *labels.pixels.shape)
        problems.append(f"The image {source.image} is {sizes}.")
    counts = Image.fromarray(labels.pixels).histogram()  # twice as fast as numpy's bincount
    item = replace(
        item,
        mask=source.mask,
        mask_sha256=labels.sha256,
        pixels=tuple(counts[:classes]),
        void=counts[IGNORE_INDEX],
    )
    return _Look(source, item, tuple(problems), dict(labels.unknown))


def _measured(path: Path, problems: list[str]) -> tuple[tuple[int, int], str]:
    """The image's (height, width) and the sha256 of its bytes; one more problem, if it cannot be read."""
    try:
        data = read_bytes(path)
        return measure_image(data, path), hashlib.sha256(data).hexdigest()
    except DataError as error:
        problems.append(error.message)
        return (0, 0), ""


def _value_problems(looks: Sequence[_Look], settings: Settings) -> Iterator[str]:
    """A line for each mask value that is neither a class nor void, the commonest first."""
    pixels: Counter[str] = Counter()
    masks_with: dict[str, list[str]] = {}
    for look in looks:
        pixels.update(look.unknown)
        for value in look.unknown:
            masks_with.setdefault(value, []).append(look.source.mask)
    masks = sum(bool(look.source.mask) for look in looks)
    for value, count in pixels.most_common(_MOST_VALUES):
        where = f"{count} pixels in {len(masks_with[value])} of {masks} masks, first in {masks_with[value][0]}"
        yield f"Mask {value} {_meaningless(settings)}: {where}."
    if len(pixels) > _MOST_VALUES:
        yield f"{len(pixels) - _MOST_VALUES} more mask values are like that."


def _meaningless(settings: Settings) -> str:
    if settings.data.colors is not None:
        return "is not listed"
    classes = "0, 1, 255 or 65535" if settings.data.binary else f"a class (0..{len(settings.classes) - 1})"
    return f"is not {classes}" if settings.void is None else f"is neither {classes} nor void ({settings.void})"


def _hint(looks: Sequence[_Look], settings: Settings) -> str:
    """What to do about it; more words only where values are wrong."""
    mend = "Mend the above and run the command again."
    if not any(look.unknown for look in looks):
        return mend
    if settings.data.colors is not None:
        return (
            f"--colors FILE lists every colour (name,#rrggbb); --tolerance N takes near ones for a listed one. {mend}"
        )
    if settings.data.binary:
        return f"--void VALUE names a value that counts in no score. {mend}"
    return (
        "Masks hold class indices in the order of the classes (--binary where they hold 0 and 255, --colors FILE where "
        f"they hold colours); --void VALUE names a value that counts in no score. {mend}"
    )
