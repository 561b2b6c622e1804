"""Dealing out the labelled images to folds: what belongs together stays together, and every fold gets its share."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.data.checks.alike import Pair
from competition.data.manifest import Item, Manifest
from competition.data.split.balance import balanced
from competition.data.split.folds import NEVER, Scheme, Split
from competition.data.split.keep_together import Pieces, find_pieces
from competition.errors import DataError

NUMBER_WEIGHT, PIXELS_WEIGHT, PRESENCE_WEIGHT, SIZE_WEIGHT = 2.0, 1.0, 0.5, 0.25
"""What it costs a fold to hold too many or too few images; too much or too little of a class (pixels; images that carry
it); of an image size."""

NUMBER_WEIGHT_BESIDE_A_GIANT = 0.5
"""Where a piece is larger than a fold, only other images beside it can thin out what it has too much of."""

_MOST_SIZES = 12
_UNEVEN = 1.25


@dataclass(frozen=True)
class FoldResult:
    """A split, and the pieces that it was made of."""

    split: Split
    pieces: Pieces

    def unevenness(self) -> str:
        """What a person should know about pieces too large to make even folds; empty where they do."""
        images, folds = len(self.pieces.of), self.split.folds
        largest = max(self.pieces.sizes)
        if folds == 1 or largest <= _UNEVEN * images / folds:
            return ""
        fewer = max(2, images // largest)
        choices = f"--folds {fewer}, " if fewer < folds else ""
        return (
            f"{largest} of {images} images belong together (one group, or alike), more than a fold's "
            f"{images // folds}: the folds are uneven. Choices: leave it so, {choices}--scheme holdout, or "
            "folds made by hand (--folds-csv)."
        )


def make_split(
    manifest: Manifest, pairs: Sequence[Pair], *, scheme: Scheme, folds: int, valid_fraction: float, seed: int
) -> FoldResult:
    """Deal out the labelled images.

    Images that are alike always share a fold; so do groups, if the scheme is about them.

    Args:
        pairs: the labelled images that are alike.
        folds: number of folds, 2 or more; hold-out takes no notice of it.
        valid_fraction: share of images that a hold-out validates on; other schemes take no notice of it.

    Raises:
        DataError: the images cannot be dealt out like that; says why and what can be done.
    """
    items = manifest.items
    grouped = all(item.group for item in items)
    _check_wish(scheme, grouped=grouped, valid_fraction=valid_fraction)
    pieces = find_pieces(items, pairs, keep_groups=scheme.needs_groups or (scheme is Scheme.HOLDOUT and grouped))
    models = 1 if scheme is Scheme.HOLDOUT else folds
    _check_number(pieces, folds=2 if scheme is Scheme.HOLDOUT else folds, keep_groups=scheme.needs_groups)
    shares = (valid_fraction, 1 - valid_fraction) if scheme is Scheme.HOLDOUT else (1 / folds,) * folds
    giant = max(pieces.sizes) > max(shares) * len(items)
    number_weight = NUMBER_WEIGHT_BESIDE_A_GIANT if giant else NUMBER_WEIGHT
    amounts = _amounts(items, number_weight=number_weight, stratified=scheme.is_stratified)
    placed = balanced(_per_piece(amounts, pieces), shares=shares, seed=seed)[np.asarray(pieces.of)]
    if scheme is Scheme.HOLDOUT:
        placed = np.where(placed == 0, 0, NEVER)
    assignment = {item.id: int(fold) for item, fold in zip(items, placed, strict=True)}
    return FoldResult(Split(scheme, models, seed, assignment), pieces)


def _amounts(items: Sequence[Item], *, number_weight: float, stratified: bool) -> NDArray[np.float64]:
    """(N, F): what each image brings to its fold. Every column but the first adds up to 0.

    A class counts as what the image has more of it than an image like all would have: so a fold is made right by what
    stands beside a class in it, as well as by the class itself.
    """
    number = np.full((len(items), 1), np.sqrt(number_weight) / len(items))
    if not stratified:
        return number
    pixels = np.array([item.pixels for item in items], dtype=np.float64)
    counted = pixels.sum(axis=1, keepdims=True)
    one = np.ones((len(items), 1))
    columns = [
        number,
        _surplus(pixels, counted, weight=PIXELS_WEIGHT),
        _surplus((pixels > 0).astype(np.float64), one, weight=PRESENCE_WEIGHT),
        _surplus(_sizes(items), one, weight=SIZE_WEIGHT),
    ]
    return np.hstack(columns)


def _surplus(of_each: NDArray[np.float64], of_all: NDArray[np.float64], *, weight: float) -> NDArray[np.float64]:
    """(N, F'): what an image has more (or less) of each thing than its share, as a part of all there is of the thing.

    Args:
        of_each: (N, F): how much of each thing an image has; things that nobody has are left out.
        of_all: (N, 1): how much of everything.
        weight: shared out among the things.
    """
    occurring = of_each[:, of_each.sum(axis=0) > 0]
    totals = occurring.sum(axis=0)
    share = totals / max(float(of_all.sum()), 1.0)
    surplus: NDArray[np.float64] = (occurring - share * of_all) / totals * np.sqrt(weight / max(len(totals), 1))
    return surplus


def _sizes(items: Sequence[Item]) -> NDArray[np.float64]:
    """(N, S): which size an image has, of the commonest ones; rarer ones count as one."""
    sizes = [(item.height, item.width) for item in items]
    common = sorted(Counter(sizes).items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_SIZES]
    column = {size: number for number, (size, _) in enumerate(common)}
    indicator = np.zeros((len(items), _MOST_SIZES + 1))
    for row, size in enumerate(sizes):
        indicator[row, column.get(size, _MOST_SIZES)] = 1
    return indicator


def _per_piece(amounts: NDArray[np.float64], pieces: Pieces) -> NDArray[np.float64]:
    summed = np.zeros((len(pieces.sizes), amounts.shape[1]))
    np.add.at(summed, list(pieces.of), amounts)
    return summed


def _check_wish(scheme: Scheme, *, grouped: bool, valid_fraction: float) -> None:
    if scheme.needs_groups and not grouped:
        raise DataError(
            f"The scheme {scheme} needs to know which images belong together, and they have no groups.",
            hint="`comp split --scheme stratified`; or give the data groups: data.group_regex, or data.meta with "
            "data.group_column, in competition.yaml, then `comp init`.",
        )
    if scheme is Scheme.HOLDOUT and not 0 < valid_fraction < 1:
        raise DataError(f"The share to validate on lies between 0 and 1, not at {valid_fraction:g}.")


def _check_number(pieces: Pieces, *, folds: int, keep_groups: bool) -> None:
    number, images = len(pieces.sizes), len(pieces.of)
    if 2 <= folds <= number:
        return
    why = "groups, joined where images of two are alike," if keep_groups else "images, those that are alike together,"
    if number < 2:
        raise DataError(
            f"All {images} images belong together ({why} make one piece), so there is nothing to split.",
            hint="Narrower groups (data.group_regex or data.group_column in competition.yaml, then `comp init`), or "
            "folds made by hand: --folds-csv FILE --allow-leaks REASON.",
        )
    raise DataError(
        f"{number} pieces cannot make {folds} folds ({images} images; {why} make that many pieces).",
        hint=f"Choices: --folds 2{f' to {number}' if number > 2 else ''}; --scheme holdout; narrower groups "
        "(data.group_regex or data.group_column in competition.yaml, then `comp init`); or folds made by hand: "
        "--folds-csv FILE --allow-leaks REASON.",
    )
