"""A split: the fold that validates on each image."""

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
"""The fold of an image that every model trains on and none validates on (hold-out)."""
_FIX = "`comp split` with the same options makes the same folds again."


class Scheme(StrEnum):
    """A way to assign images to folds."""

    HOLDOUT = "holdout"
    """One model; a share of the images (whole groups where there are groups) validates it; stratified."""
    KFOLD = "kfold"
    """At random."""
    STRATIFIED = "stratified"
    """Every fold has its share of every class, in pixels and in images, and of every image size."""
    GROUP = "group"
    """At random, but the images of a group share a fold."""
    STRATIFIED_GROUP = "stratified-group"
    """The images of a group share a fold, and every fold has its share of everything as far as groups allow."""
    IMPORTED = "given"  # the value stands in databases and in the headers of folds.csv, so it keeps its old word
    """Taken from a file (`--folds-csv`) or a column (`--split-column`)."""

    @property
    def needs_groups(self) -> bool:
        """Whether every image needs a group."""
        return self in (Scheme.GROUP, Scheme.STRATIFIED_GROUP)

    @property
    def is_stratified(self) -> bool:
        """Whether classes and image sizes are balanced."""
        return self in (Scheme.HOLDOUT, Scheme.STRATIFIED, Scheme.STRATIFIED_GROUP)


def parse_scheme(text: str) -> Scheme:
    """The scheme of this name, one that `comp split` makes by itself.

    Raises:
        UnknownNameError: there is no such scheme.
    """
    names = [scheme.value for scheme in Scheme if scheme is not Scheme.IMPORTED]
    if text not in names:
        raise UnknownNameError.among("scheme", text, names)
    return Scheme(text)


@dataclass(frozen=True)
class Split:
    """The labelled images, assigned to folds.

    Args:
        folds: the number of folds, and of models; 1 for hold-out.
        assignment: by image id, the fold that validates on the image; NEVER (-1) if every model trains on it.
    """

    scheme: Scheme
    folds: int
    seed: int
    assignment: dict[str, int]

    @cached_property
    def hash(self) -> str:
        """The sha256 of the assignment alone, so equal folds have equal hashes, whatever scheme made them."""
        return sha256_of_json(self.assignment)

    def train_ids(self, fold: int) -> list[str]:
        """The ids of the images that the model of this fold trains on, in natural order."""
        self._check(fold)
        return self._ids(lambda of_image: of_image != fold)

    def valid_ids(self, fold: int) -> list[str]:
        """The ids of the images that the model of this fold validates on and never trains on, in natural order."""
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
        table = read_table(path, columns=COLUMNS, fix=_FIX)
        assignment: dict[str, int] = {}
        for line, (image_id, fold) in table.rows:
            if image_id in assignment:
                raise damaged(path, line, f"{image_id!r} occurs twice", fix=_FIX)
            if not fold.removeprefix("-").isdecimal():
                raise damaged(path, line, f"the fold is {fold!r}, not a number", fix=_FIX)
            assignment[image_id] = int(fold)
        try:
            facts = table.facts
            split = cls(Scheme(facts["scheme"]), int(facts["folds"]), int(facts["seed"]), assignment)
        except (KeyError, ValueError, TypeError) as error:
            raise DataError(f"The header of {path} is damaged: {error!r}.", hint=_FIX) from error
        if split.hash != facts.get("hash"):
            raise DataError(f"{path} was changed after it was written, or rows are gone.", hint=_FIX)
        return split

    def _ids(self, wanted: Callable[[int], bool]) -> list[str]:
        return sorted((i for i, of_image in self.assignment.items() if wanted(of_image)), key=natural_key)

    def _check(self, fold: int) -> None:
        if not 0 <= fold < self.folds:
            raise UnknownNameError.among("fold", str(fold), map(str, range(self.folds)))


@dataclass(frozen=True)
class FoldSummary:
    """The validation images of a fold, summarised; fold -1 stands for the images that a hold-out only trains on.

    Args:
        class_share: (C,) share of each class in the pixels of the fold that are not void, 0 to 1.
    """

    fold: int
    images: int
    groups: int
    class_share: tuple[float, ...]


def summarise(manifest: Manifest, split: Split) -> tuple[FoldSummary, ...]:
    """A summary of each fold, in order; last, for a hold-out, one of the images that are only trained on."""
    folds = sorted(set(split.assignment.values()), key=lambda fold: (fold == NEVER, fold))
    return tuple(_summary(manifest, split, fold) for fold in folds)


def _summary(manifest: Manifest, split: Split, fold: int) -> FoldSummary:
    items = [item for item in manifest.items if split.assignment[item.id] == fold]
    pixels = np.array([item.pixels for item in items]).sum(axis=0)
    share = pixels / max(int(pixels.sum()), 1)
    return FoldSummary(fold, len(items), len({item.group for item in items if item.group}), tuple(share.tolist()))
