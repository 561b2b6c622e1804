"""Pseudo-labels: test images with the labels that models gave them, for each fold those of models that it may trust.

A set is a manifest and a folder of label maps for each fold. What a fold trains on is named `test:ID`, as a test image
may bear the id of a labelled one.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from filelock import FileLock
from pydantic import Field, ValidationError

from competition.config.yamlfile import Section
from competition.data.cache import Cache, PseudoPart, new_file
from competition.data.images import Pixels, decode_mask, read_bytes, resize_labels
from competition.data.manifest import Item, Manifest
from competition.data.parallel import Progress, in_threads
from competition.errors import ConfigError, DataError, UnknownNameError
from competition.files import sha256_of_json
from competition.paths import Paths, PseudoPaths

PREFIX = "test:"
DIGITS = 12


class Facts(Section):
    """What is known of a set without opening its labels.

    Args:
        source: the ensemble or the experiment whose predictions they are.
        members: its experiments; all count the same.
        threshold: the least mean probability of a pixel's class for the pixel to be labelled.
        folds: the fingerprint of each fold's manifest, which changes with any label.
    """

    version: Literal[1] = 1
    source: str
    members: tuple[str, ...] = Field(min_length=1)
    threshold: float = Field(gt=0, le=1)
    classes: tuple[str, ...]
    fingerprint: str
    split_hash: str
    folds: tuple[str, ...]


@dataclass(frozen=True)
class PseudoLabels:
    """A set of pseudo-labels on disk."""

    name: str
    paths: PseudoPaths
    facts: Facts

    @property
    def pinned(self) -> str:
        """`NAME@digits`: the name, and what changes with the content."""
        return f"{self.name}@{sha256_of_json(self.facts.model_dump(mode='json'))[:DIGITS]}"

    def items(self, fold: int) -> tuple[Item, ...]:
        """The test images that the fold may train on, with the pixels of each class that are labelled.

        Raises:
            DataError: the manifest is missing, damaged or was changed.
        """
        manifest = Manifest.read(self.paths.manifest(fold))
        if manifest.fingerprint != self.facts.folds[fold]:
            raise _changed(self.paths.manifest(fold))
        return manifest.items

    def labels(self, fold: int, item: Item) -> Pixels:
        """The labels of one of the fold's items, uint8 (H, W) at the image's own size; void where nobody was sure.

        Raises:
            DataError: they cannot be read, or have changed.
        """
        path = self.paths.labels(fold) / item.mask
        data = read_bytes(path)
        if hashlib.sha256(data).hexdigest() != item.mask_sha256:
            raise _changed(path)
        return decode_mask(data, path).astype(np.uint8)

    def extend(self, cache: Cache, fold: int, *, progress: Progress | None = None) -> Cache:
        """The cache with the fold's items as further images to train on; their labels are resized if nobody has yet.

        Raises:
            DataError: labels cannot be read, or have changed.
        """
        items = self.items(fold)
        path = cache.paths.pseudo_masks(self.pinned, fold)
        with FileLock(cache.paths.lock):
            if not path.is_file():
                self._build(path, fold, items, cache.masks.shape[1:], progress)
        rows = {item.id: (cache.test_index[item.id.removeprefix(PREFIX)], row) for row, item in enumerate(items)}
        return replace(cache, pseudo=PseudoPart.map(path, rows))

    def _build(
        self, path: Path, fold: int, items: tuple[Item, ...], size: tuple[int, ...], progress: Progress | None
    ) -> None:
        aside = path.with_name(f".{path.name}")
        try:
            masks = new_file(aside, (len(items), *size))
            in_threads(partial(self._fill, masks, fold, (size[0], size[1])), list(enumerate(items)), progress=progress)
            masks.flush()
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)

    def _fill(self, masks: Pixels, fold: int, size: tuple[int, int], numbered: tuple[int, Item]) -> None:
        row, item = numbered
        masks[row] = resize_labels(self.labels(fold, item), size)


def find(paths: Paths, name: str) -> PseudoLabels:
    """The set called `name`.

    Raises:
        UnknownNameError: there is none.
        DataError: it is damaged.
    """
    files = paths.pseudo(name)
    try:
        facts = Facts.model_validate_json(files.facts.read_bytes())
    except FileNotFoundError as error:
        known = [path.parent.name for path in paths.all_pseudo.glob(f"*/{files.facts.name}")]
        hint = None if known else "`comp pseudo ENSEMBLE` makes one."
        raise UnknownNameError.among("set of pseudo-labels", name, known, hint=hint) from error
    except ValidationError as error:
        raise _changed(files.facts) from error
    return PseudoLabels(name, files, facts)


def find_pinned(paths: Paths, pinned: str) -> PseudoLabels:
    """The set that `NAME@digits` names; without the digits, whatever is called NAME.

    Raises:
        ConfigError: its content is another than when it was pinned.
    """
    name, at, _ = pinned.partition("@")
    found = find(paths, name)
    if at and found.pinned != pinned:
        raise ConfigError(
            f"data.pseudo={name} has changed: it was {pinned} and is {found.pinned}.",
            hint=f"Run with the new labels as a condition: --set data.pseudo={name}",
        )
    return found


def counted(labels: Pixels, classes: int) -> tuple[tuple[int, ...], int]:
    """How many pixels of a label map each class has, and how many are void."""
    counts = np.bincount(labels.ravel(), minlength=256)
    return tuple(counts[:classes].tolist()), int(counts[classes:].sum())


def _changed(path: Path) -> DataError:
    return DataError(
        f"{path} is damaged, or has changed since the pseudo-labels were made.",
        hint="Make a new set with `comp pseudo`, and run it as a condition of its own.",
    )
