"""Looking at every image and mask once: what is there, whether it can be used, and how much of each class."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from competition.data.groups import find_groups
from competition.data.images import count_values, decode_image, decode_mask, read_bytes
from competition.data.manifest import Item, Manifest
from competition.data.parallel import Progress, in_threads
from competition.data.readers.folders import Source, find, folders_of
from competition.errors import DataError, all_problems
from competition.settings import Settings

_MOST_VALUES = 8
"""A mask saved as JPEG holds hundreds of wrong values; naming the commonest is enough."""


def index(settings: Settings, root: Path, *, progress: Progress | None = None) -> Manifest:
    """The manifest of the data that `settings` describe; relative paths start at `root`.

    Every file is read, hashed and decoded, on all cores.

    Raises:
        DataError: something is wrong with the data; names everything that is.
    """
    found = find(folders_of(settings, root))
    groups = find_groups([source.id for source in found.labelled], settings.data, root)
    look = partial(_look, classes=len(settings.classes), void=settings.void)
    looks = in_threads(look, [*found.labelled, *found.test], progress=progress)
    problems = [
        *_value_problems(looks, settings),
        *(look.problem for look in looks if look.problem),
        *groups.problems,
        *found.problems,
    ]
    if problems:
        raise DataError(
            all_problems("The data cannot be used as it is", problems),
            hint="Masks hold class indices in the order of the classes (0 and 1 for two, not 0 and 255); --void VALUE "
            "names a value that counts in no score. Mend the above and run the command again.",
        )
    items = [look.item(groups.of.get(look.source.id, "")) for look in looks]
    return Manifest(tuple(i for i in items if i.is_labelled), tuple(i for i in items if not i.is_labelled))


@dataclass(frozen=True)
class _Look:
    """What one image and its mask turned out to be."""

    source: Source
    problem: str = ""
    size: tuple[int, int] = (0, 0)
    image_sha256: str = ""
    mask_sha256: str = ""
    pixels: tuple[int, ...] = ()
    void: int = 0
    unknown: dict[int, int] = field(default_factory=dict)
    """Pixels of each mask value that is neither a class nor void."""

    def item(self, group: str) -> Item:
        height, width = self.size
        return Item(
            id=self.source.id,
            image=self.source.image.name,
            mask=self.source.mask.name if self.source.mask else "",
            group=group,
            height=height,
            width=width,
            image_sha256=self.image_sha256,
            mask_sha256=self.mask_sha256,
            pixels=self.pixels,
            void=self.void,
        )


def _look(source: Source, *, classes: int, void: int | None) -> _Look:
    try:
        data = read_bytes(source.image)
        height, width = decode_image(data, source.image).shape[:2]
        image_sha256 = hashlib.sha256(data).hexdigest()
        if source.mask is None:
            return _Look(source, size=(height, width), image_sha256=image_sha256)
        data = read_bytes(source.mask)
        mask = decode_mask(data, source.mask)
    except DataError as error:
        return _Look(source, problem=error.message)
    problem = ""
    if mask.shape != (height, width):
        sizes = f"{height}x{width}, its mask {mask.shape[0]}x{mask.shape[1]} (height x width)"
        problem = f"The image {source.image.name} is {sizes}."
    counts = count_values(mask)
    return _Look(
        source,
        problem=problem,
        size=(height, width),
        image_sha256=image_sha256,
        mask_sha256=hashlib.sha256(data).hexdigest(),
        pixels=tuple(counts.get(value, 0) for value in range(classes)),
        void=0 if void is None else counts.get(void, 0),
        unknown={v: n for v, n in counts.items() if v != void and not 0 <= v < classes},
    )


def _value_problems(looks: Sequence[_Look], settings: Settings) -> Iterable[str]:
    """A line for each mask value that is neither a class nor void, the commonest first."""
    pixels: Counter[int] = Counter()
    files: dict[int, list[str]] = {}
    masks = 0
    for look in looks:
        if look.source.mask is None:
            continue
        masks += 1
        pixels.update(look.unknown)
        for value in look.unknown:
            files.setdefault(value, []).append(look.source.mask.name)
    known = f"a class (0..{len(settings.classes) - 1})" + (
        "" if settings.void is None else f" nor void ({settings.void})"
    )
    isnt = "is not" if settings.void is None else "is neither"
    for value, count in pixels.most_common(_MOST_VALUES):
        where = f"{count} pixels in {len(files[value])} of {masks} masks, first in {files[value][0]}"
        yield f"Mask value {value} {isnt} {known}: {where}."
    if len(pixels) > _MOST_VALUES:
        yield f"{len(pixels) - _MOST_VALUES} more mask values are like that."
