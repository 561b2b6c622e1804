"""Which images validate which model."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import numpy as np

from competition.data.manifest import Manifest
from competition.data.naming import natural_key
from competition.data.tables import damaged, read_table, write_table
from competition.errors import DataError, UnknownNameError
from competition.files import sha256_of_json

COLUMNS = ("id", "fold")
NEVER = -1
"""The fold of an image that is trained on by every model and validates none (hold-out)."""
_MEND = "`comp split` with the same options makes the same folds again."


class Scheme(StrEnum):
    """How images are dealt out to the folds."""

    HOLDOUT = "holdout"
    """One model; a share of the images (whole groups where there are groups) validates it; stratified."""
    KFOLD = "kfold"
    """At random."""
    STRATIFIED = "stratified"
    """Each fold has its share of every class, in pixels and in images, and of every image size."""
    GROUP = "group"
    """At random, groups kept whole."""
    STRATIFIED_GROUP = "stratified-group"
    """Groups kept whole, and each fold has its share of everything as far as they allow."""
    GIVEN = "given"
    """Somebody else dealt them out."""

    @property
    def needs_groups(self) -> bool:
        """Whether it is about groups."""
        return self in (Scheme.GROUP, Scheme.STRATIFIED_GROUP)

    @property
    def is_stratified(self) -> bool:
        """Whether folds are made alike in what they hold."""
        return self in (Scheme.HOLDOUT, Scheme.STRATIFIED, Scheme.STRATIFIED_GROUP)


def parse_scheme(text: str) -> Scheme:
    """The scheme of this name, one that comp can carry out by itself.

    Raises:
        UnknownNameError: there is none.
    """
    names = [scheme.value for scheme in Scheme if scheme is not Scheme.GIVEN]
    if text not in names:
        raise UnknownNameError.among("scheme", text, names)
    return Scheme(text)


@dataclass(frozen=True)
class Split:
    """A way to deal out the labelled images.

    Args:
        folds: how many models validate it: 1 for hold-out.
        assignment: by image id, the fold that validates on the image; -1 if every model trains on it.
    """

    scheme: Scheme
    folds: int
    seed: int
    assignment: dict[str, int]

    @cached_property
    def hash(self) -> str:
        """The sha256 of who is where, however it came about: equal folds, equal hash."""
        return sha256_of_json(self.assignment)

    def train_ids(self, fold: int) -> list[str]:
        """The images that the model of this fold trains on, in natural order."""
        self._check(fold)
        return self._ids(lambda of_image: of_image != fold)

    def valid_ids(self, fold: int) -> list[str]:
        """The images that the model of this fold never sees, in natural order."""
        self._check(fold)
        return self._ids(lambda of_image: of_image == fold)

    def write(self, path: Path) -> None:
        """Write the folds as CSV with the columns id and fold, in natural order."""
        rows = [(image_id, self.assignment[image_id]) for image_id in sorted(self.assignment, key=natural_key)]
        facts = {"scheme": self.scheme.value, "folds": self.folds, "seed": self.seed, "hash": self.hash}
        write_table(path, columns=COLUMNS, rows=rows, facts=facts)

    @classmethod
    def read(cls, path: Path) -> "Split":
        """The split that `write` wrote.

        Raises:
            DataError: the file is missing, damaged or was changed; names the line and what to do.
        """
        table = read_table(path, columns=COLUMNS, mend=_MEND)
        assignment: dict[str, int] = {}
        for line, (image_id, fold) in table.rows:
            if image_id in assignment:
                raise damaged(path, line, f"{image_id!r} stands there twice", mend=_MEND)
            if not fold.removeprefix("-").isdecimal():
                raise damaged(path, line, f"the fold is {fold!r}, not a number", mend=_MEND)
            assignment[image_id] = int(fold)
        try:
            facts = table.facts
            split = cls(Scheme(facts["scheme"]), int(facts["folds"]), int(facts["seed"]), assignment)
        except (KeyError, ValueError, TypeError) as error:
            raise DataError(f"The header of {path} is damaged: {error!r}.", hint=_MEND) from error
        if split.hash != facts.get("hash"):
            raise DataError(f"{path} was changed after it was written, or rows are gone.", hint=_MEND)
        return split

    def _ids(self, wanted: Callable[[int], bool]) -> list[str]:
        return sorted((i for i, of_image in self.assignment.items() if wanted(of_image)), key=natural_key)

    def _check(self, fold: int) -> None:
        if not 0 <= fold < self.folds:
            raise UnknownNameError.among("fold", str(fold), map(str, range(self.folds)))


@dataclass(frozen=True)
class FoldSummary:
    """What a fold validates on; fold -1 is what a hold-out never validates on.

    Args:
        class_share: share of each class in the fold's pixels that are not void, fractions.
    """

    fold: int
    images: int
    groups: int
    class_share: tuple[float, ...]


def summarise(manifest: Manifest, split: Split) -> tuple[FoldSummary, ...]:
    """What each fold validates on, in order; for a hold-out also what is only trained on, last."""
    folds = sorted(set(split.assignment.values()), key=lambda fold: (fold == NEVER, fold))
    return tuple(_summary(manifest, split, fold) for fold in folds)


def _summary(manifest: Manifest, split: Split, fold: int) -> FoldSummary:
    items = [item for item in manifest.items if split.assignment[item.id] == fold]
    pixels = np.array([item.pixels for item in items]).sum(axis=0)
    share = pixels / max(int(pixels.sum()), 1)
    return FoldSummary(fold, len(items), len({item.group for item in items if item.group}), tuple(share.tolist()))
