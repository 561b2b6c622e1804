"""Assigning the labelled images to folds: images that belong together share a fold, and all folds are alike."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.data.checks.duplicates import ImagePair, connected
from competition.data.manifest import Item, Manifest
from competition.data.split.balancing import balance
from competition.data.split.folds import NEVER, Scheme, Split
from competition.errors import DataError

NUMBER_WEIGHT, PIXELS_WEIGHT, PRESENCE_WEIGHT, SIZE_WEIGHT = 2.0, 1.0, 0.5, 0.25
"""The cost of a fold with too many or too few images; with too much or too little of a class (pixels; images that show
it); of an image size."""

NUMBER_WEIGHT_LARGE_BUNDLE = 0.5
"""With a bundle larger than a fold, class shares come out even only if that fold may take further images."""

_MOST_SIZES = 12
_UNEVEN = 1.25


@dataclass(frozen=True)
class Bundles:
    """Bundles: images that must share a fold.

    Args:
        of: (N,) the bundle of each item, numbered in the order of their first items.
    """

    of: tuple[int, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of images in each bundle."""
        counts = Counter(self.of)
        return tuple(counts[bundle] for bundle in range(len(counts)))


@dataclass(frozen=True)
class FoldResult:
    """A split, and the bundles that it keeps together."""

    split: Split
    bundles: Bundles

    def unevenness(self) -> str:
        """A sentence about a bundle too large for even folds; empty if there is none."""
        images, folds = len(self.bundles.of), self.split.folds
        largest = max(self.bundles.sizes)
        if folds == 1 or largest <= _UNEVEN * images / folds:
            return ""
        fewer = max(2, images // largest)
        choices = f"use --folds {fewer}, " if fewer < folds else ""
        return (
            f"{largest} of {images} images belong together (one group, or near-duplicates), but an even fold has "
            f"{images // folds}: the folds are uneven. You can accept this, {choices}use --scheme holdout, or make the "
            "folds yourself (--folds-csv)."
        )


def make_split(
    manifest: Manifest, pairs: Sequence[ImagePair], *, scheme: Scheme, folds: int, valid_fraction: float, seed: int
) -> FoldResult:
    """Assign the labelled images to folds.

    Near-duplicates always share a fold; the images of a group do if the scheme is about groups.

    Args:
        pairs: the near-duplicates among the labelled images.
        folds: number of folds, 2 or more; hold-out ignores it.
        valid_fraction: share of images that a hold-out validates on, 0 to 1; other schemes ignore it.

    Raises:
        DataError: the images cannot be split like that; says why and what can be done.
    """
    items = manifest.items
    grouped = all(item.group for item in items)
    _check_request(scheme, grouped=grouped, valid_fraction=valid_fraction)
    keep_groups = scheme.needs_groups or (scheme is Scheme.HOLDOUT and grouped)
    bundles = bundle_images(items, pairs, keep_groups=keep_groups)
    models = 1 if scheme is Scheme.HOLDOUT else folds
    _check_number(bundles, folds=2 if scheme is Scheme.HOLDOUT else folds, keep_groups=keep_groups)
    shares = (valid_fraction, 1 - valid_fraction) if scheme is Scheme.HOLDOUT else (1 / folds,) * folds
    has_large = max(bundles.sizes) > max(shares) * len(items)
    number_weight = NUMBER_WEIGHT_LARGE_BUNDLE if has_large else NUMBER_WEIGHT
    amounts = _amounts(items, number_weight=number_weight, stratified=scheme.is_stratified)
    fold_of = balance(_per_bundle(amounts, bundles), shares=shares, seed=seed)[np.asarray(bundles.of)]
    if scheme is Scheme.HOLDOUT:
        fold_of = np.where(fold_of == 0, 0, NEVER)
    assignment = {item.id: int(fold) for item, fold in zip(items, fold_of, strict=True)}
    return FoldResult(Split(scheme, models, seed, assignment), bundles)


def bundle_images(items: Sequence[Item], pairs: Iterable[ImagePair], *, keep_groups: bool) -> Bundles:
    """The bundles that near-duplicates form and, with `keep_groups`, groups; followed along chains."""
    position = {item.id: i for i, item in enumerate(items)}
    edges = [(position[pair.first.id], position[pair.second.id]) for pair in pairs]
    if keep_groups:
        first: dict[str, int] = {}
        edges += [(first.setdefault(item.group, i), i) for i, item in enumerate(items) if item.group]
    return Bundles(tuple(connected(len(items), edges)))


def _amounts(items: Sequence[Item], *, number_weight: float, stratified: bool) -> NDArray[np.float64]:
    """The contribution of each image to its fold, float64 (N, F). Every column but the first adds up to 0.

    The contribution to a class is the surplus over what an average image of that size has of it. So a fold with too
    much of a class is evened out by more of the class elsewhere, and by more of other classes in the fold.
    """
    number = np.full((len(items), 1), np.sqrt(number_weight) / len(items))
    if not stratified:
        return number
    pixels = np.array([item.pixels for item in items], dtype=np.float64)
    counted = pixels.sum(axis=1, keepdims=True)
    ones = np.ones((len(items), 1))
    columns = [
        number,
        _surplus(pixels, counted, weight=PIXELS_WEIGHT),
        _surplus((pixels > 0).astype(np.float64), ones, weight=PRESENCE_WEIGHT),
        _surplus(_size_indicators(items), ones, weight=SIZE_WEIGHT),
    ]
    return np.hstack(columns)


def _surplus(amounts: NDArray[np.float64], totals: NDArray[np.float64], *, weight: float) -> NDArray[np.float64]:
    """How much more (or less) of each property an image has than its share, as a fraction of all of it, (N, F').

    Args:
        amounts: (N, F) how much of each property an image has; properties that no image has are left out.
        totals: (N, 1) the size of the image in the same unit.
        weight: divided equally among the properties.
    """
    occurring = amounts[:, amounts.sum(axis=0) > 0]
    sums = occurring.sum(axis=0)
    share = sums / max(float(totals.sum()), 1.0)
    surplus: NDArray[np.float64] = (occurring - share * totals) / sums * np.sqrt(weight / max(len(sums), 1))
    return surplus


def _size_indicators(items: Sequence[Item]) -> NDArray[np.float64]:
    """1 in the column of an image's size, else 0, (N, S); the 12 most frequent sizes, then all others together."""
    sizes = [(item.height, item.width) for item in items]
    common = sorted(Counter(sizes).items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_SIZES]
    column = {size: number for number, (size, _) in enumerate(common)}
    indicators = np.zeros((len(items), _MOST_SIZES + 1))
    for row, size in enumerate(sizes):
        indicators[row, column.get(size, _MOST_SIZES)] = 1
    return indicators


def _per_bundle(amounts: NDArray[np.float64], bundles: Bundles) -> NDArray[np.float64]:
    """The amounts summed over the images of each bundle, (B, F)."""
    sums = np.zeros((len(bundles.sizes), amounts.shape[1]))
    np.add.at(sums, list(bundles.of), amounts)
    return sums


def _check_request(scheme: Scheme, *, grouped: bool, valid_fraction: float) -> None:
    if scheme.needs_groups and not grouped:
        raise DataError(
            f"--scheme {scheme} needs a group for every image, and the data has no groups.",
            hint="Use `comp split --scheme stratified`. Or define groups in competition.yaml (data.group_regex, or "
            "data.meta with data.group_column), then run `comp init`.",
        )
    if scheme is Scheme.HOLDOUT and not 0 < valid_fraction < 1:
        raise DataError(
            f"--valid-fraction is {valid_fraction:g}, but the share of validation images must lie between 0 and 1.",
            hint="For example `comp split --scheme holdout --valid-fraction 0.2`.",
        )


def _check_number(bundles: Bundles, *, folds: int, keep_groups: bool) -> None:
    number, images = len(bundles.sizes), len(bundles.of)
    if 2 <= folds <= number:
        return
    why = "groups and near-duplicates are kept together" if keep_groups else "near-duplicates are kept together"
    groups = "define smaller groups (data.group_regex or data.group_column in competition.yaml, then `comp init`); or "
    other = f"{groups if keep_groups else ''}make the folds yourself (--folds-csv FILE --allow-leaks REASON)"
    if number < 2:
        raise DataError(
            f"There is nothing to split: {why}, and so all {images} images belong together.",
            hint=f"You can {other}.",
        )
    raise DataError(
        f"--folds {folds} is not possible: {why}, so the {images} images form only {number} bundles.",
        hint=f"Use --folds 2{f' to {number}' if number > 2 else ''}, or --scheme holdout. You can also {other}.",
    )
