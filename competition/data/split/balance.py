"""Dealing out pieces of unequal weight so that every side gets its share of everything.

Greedy placing, then moves and swaps while they help. Whole numbers all the way: the same pieces and seed give the same
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


def balanced(amounts: NDArray[np.float64], *, shares: Sequence[float], seed: int, starts: int = 0) -> Whole:
    """The side (P,) of each piece, such that sides hold what they should of every amount.

    What is made small is the sum, over sides and amounts, of the squared difference between what the side holds and
    its share of the whole. No side stays empty while there are pieces enough.

    Args:
        amounts: (P, F), about -1 to 1: how much of each thing a piece brings, scaled by how much the thing matters.
        shares: (K,), adding up to 1: the part of everything that each side should hold.
        starts: how often to begin anew (the best is kept); 0 begins the more often the fewer pieces there are.
    """
    values = np.rint(amounts * _UNIT).astype(np.int64)
    wanted = np.rint(np.outer(shares, values.sum(axis=0))).astype(np.int64)
    random = np.random.RandomState(seed)
    found: list[tuple[int, Whole]] = []
    for start in range(starts or min(32, max(2, 6000 // max(len(values), 1)))):
        order = random.permutation(len(values))
        if start % 2 == 0:  # largest first does best where pieces differ; by chance, where they do not
            order = order[np.argsort(-(values[order] ** 2).sum(axis=1), kind="stable")]
        placed = _place(values, wanted, order)
        _improve(values, wanted, placed, random.permutation(len(values))[:_MOST_SWAPPED])
        found.append((_cost(values, wanted, placed), placed))
    return min(found, key=lambda pair: pair[0])[1]


def _place(values: Whole, wanted: Whole, order: Whole) -> Whole:
    """Each piece in turn to the side that it helps most."""
    placed = np.empty(len(values), dtype=np.int64)
    off = -wanted
    empty = set(range(len(wanted)))
    for turn, piece in enumerate(order):
        cost = off @ values[piece]
        if len(order) - turn <= len(empty):
            cost[[side for side in range(len(wanted)) if side not in empty]] = _FORBIDDEN
        side = int(cost.argmin())
        placed[piece] = side
        off[side] += values[piece]
        empty.discard(side)
    return placed


def _improve(values: Whole, wanted: Whole, placed: Whole, swapped: Whole) -> None:
    """Change `placed` by the best move while one helps, else by the best swap among the pieces `swapped`."""
    squares = (values**2).sum(axis=1)
    products = values[swapped] @ values[swapped].T
    pulls = values @ (_held(values, placed, len(wanted)) - wanted).T
    for _ in range(_MOST_STEPS):
        moves = _moves(pulls, squares, placed)
        piece, side = np.unravel_index(moves.argmin(), moves.shape)
        if moves[piece, side] < 0:
            changes = [(int(piece), int(side))]
        else:
            swaps = _swaps(pulls[swapped], squares[swapped], products, placed[swapped])
            if swaps.size == 0 or swaps.min() >= 0:
                return
            first, second = swapped[list(np.unravel_index(swaps.argmin(), swaps.shape))]
            changes = [(int(first), int(placed[second])), (int(second), int(placed[first]))]
        for moved, goal in changes:
            pull = values @ values[moved]
            pulls[:, placed[moved]] -= pull
            pulls[:, goal] += pull
            placed[moved] = goal


def _moves(pulls: Whole, squares: Whole, placed: Whole) -> Whole:
    """(P, K): half of what the cost gains or loses if a piece moves to a side; the last piece of a side stays."""
    change = pulls - np.take_along_axis(pulls, placed[:, None], axis=1) + squares[:, None]
    alone = np.bincount(placed, minlength=pulls.shape[1])[placed] == 1
    change[alone] = _FORBIDDEN
    return change


def _swaps(pulls: Whole, squares: Whole, products: Whole, placed: Whole) -> Whole:
    """(S, S): half of what the cost gains or loses if two pieces change places."""
    at_other = pulls[:, placed]
    own = np.diagonal(at_other)
    apart = squares[:, None] + squares[None, :] - 2 * products
    return at_other + at_other.T - own[:, None] - own[None, :] + apart


def _cost(values: Whole, wanted: Whole, placed: Whole) -> int:
    off = _held(values, placed, len(wanted)) - wanted
    return int((off**2).sum())


def _held(values: Whole, placed: Whole, sides: int) -> Whole:
    held = np.zeros((sides, values.shape[1]), dtype=np.int64)
    np.add.at(held, placed, values)
    return held
