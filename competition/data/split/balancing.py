"""Assigning bundles of unequal weight to sides (folds) so that every side gets its share of everything.

Greedy placement, then moves and swaps while they help. Whole numbers only: the same bundles and seed give the same
sides on every machine.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]

_UNIT = 1 << 24
_MOST_SWAPPED = 600
_MOST_STEPS = 4000
_FORBIDDEN = np.iinfo(np.int64).max // 4
"""A cost above every real one; a quarter of the largest number, so that sums of it do not overflow."""


def balance(amounts: NDArray[np.float64], *, shares: Sequence[float], seed: int) -> Whole:
    """The side of each bundle, int64 (P,), so that every side holds its share of every amount.

    Minimises the sum, over sides and amounts, of the squared difference between what the side holds and its share of
    the whole. No side stays empty while there are enough bundles. Fewer bundles get more starts; the best is kept.

    Args:
        amounts: (P, F), about -1 to 1: how much of each property a bundle has, scaled by how much it matters.
        shares: (K,), adding up to 1: the part of everything that each side should hold.
    """
    values = np.rint(amounts * _UNIT).astype(np.int64)  # whole numbers: float sums depend on their order
    targets = np.rint(np.outer(shares, values.sum(axis=0))).astype(np.int64)
    random = np.random.RandomState(seed)  # its stream is frozen by numpy; default_rng's may change with a version
    results: list[tuple[int, Whole]] = []
    for start in range(min(32, max(2, 6000 // max(len(values), 1)))):
        order = random.permutation(len(values))
        if start % 2 == 0:  # largest first works best for bundles of different sizes, random order for equal ones
            order = order[np.argsort(-(values[order] ** 2).sum(axis=1), kind="stable")]
        side_of = _place(values, targets, order)
        _improve(values, targets, side_of, random.permutation(len(values))[:_MOST_SWAPPED])
        results.append((_cost(values, targets, side_of), side_of))
    return min(results, key=lambda result: result[0])[1]


def _place(values: Whole, targets: Whole, order: Whole) -> Whole:
    """Assign each bundle in turn to the side that it helps most."""
    side_of = np.empty(len(values), dtype=np.int64)
    excess = -targets
    empty = set(range(len(targets)))
    for turn, bundle in enumerate(order):
        cost = excess @ values[bundle]
        if len(order) - turn <= len(empty):  # the last bundles must fill the sides that are still empty
            cost[[side for side in range(len(targets)) if side not in empty]] = _FORBIDDEN
        side = int(cost.argmin())
        side_of[bundle] = side
        excess[side] += values[bundle]
        empty.discard(side)
    return side_of


def _improve(values: Whole, targets: Whole, side_of: Whole, swappable: Whole) -> None:
    """Change `side_of` in place by the best move while one helps, else by the best swap of two `swappable` bundles."""
    squares = (values**2).sum(axis=1)
    products = values[swappable] @ values[swappable].T
    # (P, K): each bundle times the excess of each side. Kept up to date below, which is far cheaper than a new product.
    pulls = values @ (_sums(values, side_of, len(targets)) - targets).T
    for _ in range(_MOST_STEPS):
        moves = _moves(pulls, squares, side_of)
        bundle, side = np.unravel_index(moves.argmin(), moves.shape)
        if moves[bundle, side] < 0:
            changes = [(int(bundle), int(side))]
        else:
            swaps = _swaps(pulls[swappable], squares[swappable], products, side_of[swappable])
            if swaps.size == 0 or swaps.min() >= 0:
                return
            first, second = swappable[list(np.unravel_index(swaps.argmin(), swaps.shape))]
            changes = [(int(first), int(side_of[second])), (int(second), int(side_of[first]))]
        for moved, goal in changes:
            pull = values @ values[moved]
            pulls[:, side_of[moved]] -= pull
            pulls[:, goal] += pull
            side_of[moved] = goal


def _moves(pulls: Whole, squares: Whole, side_of: Whole) -> Whole:
    """Half of the change in cost if a bundle moves to a side, (P, K); the last bundle of a side may not move."""
    change = pulls - np.take_along_axis(pulls, side_of[:, None], axis=1) + squares[:, None]
    alone = np.bincount(side_of, minlength=pulls.shape[1])[side_of] == 1
    change[alone] = _FORBIDDEN
    return change


def _swaps(pulls: Whole, squares: Whole, products: Whole, side_of: Whole) -> Whole:
    """Half of the change in cost if two bundles swap sides, (S, S)."""
    at_other = pulls[:, side_of]
    own = np.diagonal(at_other)
    difference = squares[:, None] + squares[None, :] - 2 * products
    return at_other + at_other.T - own[:, None] - own[None, :] + difference


def _cost(values: Whole, targets: Whole, side_of: Whole) -> int:
    excess = _sums(values, side_of, len(targets)) - targets
    return int((excess**2).sum())


def _sums(values: Whole, side_of: Whole, sides: int) -> Whole:
    """What each side holds of every amount, (K, F)."""
    sums = np.zeros((sides, values.shape[1]), dtype=np.int64)
    np.add.at(sums, side_of, values)
    return sums
