"""Pseudo-labels: test images with predicted labels, for each fold those of models that never saw its validation images.

A set has a manifest and a folder of label maps for each fold. Its images have the ids `test:ID`, because a test image
may have the id of a labelled one.
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


class PseudoFacts(Section):
    """The facts about a set in its pseudo.json.

    Args:
        source: the ensemble or the experiment that predicted the labels.
        members: the experiments of the source; all have equal weight.
        threshold: a pixel is labelled if the mean probability of its class is at least this, 0 to 1.
        folds: the fingerprint of the manifest of each fold, which changes with any label.
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
    facts: PseudoFacts

    @property
    def pinned(self) -> str:
        """`NAME@digits`: the name, and the first digits of a hash of the content."""
        return f"{self.name}@{sha256_of_json(self.facts.model_dump(mode='json'))[:DIGITS]}"

    def items(self, fold: int) -> tuple[Item, ...]:
        """The test images for the fold to train on, with the number of labelled pixels of each class.

        Raises:
            DataError: the manifest is missing, damaged, or has changed.
        """
        manifest = Manifest.read(self.paths.manifest(fold))
        if manifest.fingerprint != self.facts.folds[fold]:
            raise _changed(self.paths.manifest(fold))
        return manifest.items

    def labels(self, fold: int, item: Item) -> Pixels:
        """The labels of one item of the fold, uint8 (H, W) at the image's own size; void below the threshold.

        Raises:
            DataError: the file cannot be read, or has changed.
        """
        path = self.paths.labels(fold) / item.mask
        data = read_bytes(path)
        if hashlib.sha256(data).hexdigest() != item.mask_sha256:
            raise _changed(path)
        return decode_mask(data, path).astype(np.uint8)

    def extend(self, cache: Cache, fold: int, *, progress: Progress | None = None) -> Cache:
        """The cache with the fold's items as additional images to train on; resizes their labels the first time.

        Raises:
            DataError: a label cannot be read, or has changed.
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
        temporary = path.with_name(f".{path.name}")
        try:
            masks = new_file(temporary, (len(items), *size))
            in_threads(partial(self._fill, masks, fold, (size[0], size[1])), list(enumerate(items)), progress=progress)
            masks.flush()
            temporary.replace(path)  # renamed when complete, so no reader sees half of it
        finally:
            temporary.unlink(missing_ok=True)

    def _fill(self, masks: Pixels, fold: int, size: tuple[int, int], numbered_item: tuple[int, Item]) -> None:
        row, item = numbered_item
        masks[row] = resize_labels(self.labels(fold, item), size)


def find_pseudo(paths: Paths, name: str) -> PseudoLabels:
    """The set called `name`.

    Raises:
        UnknownNameError: there is no such set.
        DataError: its pseudo.json is damaged.
    """
    files = paths.pseudo(name)
    try:
        facts = PseudoFacts.model_validate_json(files.facts.read_bytes())
    except FileNotFoundError as error:
        known = [path.parent.name for path in paths.all_pseudo.glob(f"*/{files.facts.name}")]
        hint = None if known else "`comp pseudo ENSEMBLE` makes one."
        raise UnknownNameError.among("set of pseudo-labels", name, known, hint=hint) from error
    except ValidationError as error:
        raise _changed(files.facts) from error
    return PseudoLabels(name, files, facts)


def find_pinned(paths: Paths, pinned: str) -> PseudoLabels:
    """The set that `NAME@digits` names; without the digits, the set called NAME as it is now.

    Raises:
        UnknownNameError: there is no such set.
        ConfigError: the digits are others, because the set has changed since it was pinned.
    """
    name, at, _ = pinned.partition("@")
    labels = find_pseudo(paths, name)
    if at and labels.pinned != pinned:
        raise ConfigError(
            f"The pseudo-labels {name} have changed: {pinned} was asked for, but now they are {labels.pinned}.",
            hint=f"Use the new labels as a condition of a new experiment: comp run --set data.pseudo={name}",
        )
    return labels


def count_pixels(labels: Pixels, classes: int) -> tuple[tuple[int, ...], int]:
    """The number of pixels of each class in a label map, uint8 (H, W), and of void pixels."""
    counts = np.bincount(labels.ravel(), minlength=256)
    return tuple(counts[:classes].tolist()), int(counts[classes:].sum())


def _changed(path: Path) -> DataError:
    return DataError(
        f"{path} is damaged, or has changed since `comp pseudo` wrote it.",
        hint="Make a new set with `comp pseudo`, and use it as the condition of a new experiment.",
    )
