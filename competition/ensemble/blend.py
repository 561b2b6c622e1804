"""Blending one image: which class wins under a weighting, in whole numbers.

Weights are counts (a member with weight 3 counts like three equal members) and probabilities are bytes, so every sum
is exact: the result depends neither on the order of the members nor on the machine.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from math import gcd, lcm

import numpy as np
from numpy.typing import NDArray

from competition.ensemble.methods import Method, Planes
from competition.predictions.probabilities import Bytes

Count = int | tuple[int, ...]
"""How often a member counts: in all classes alike, or in each by itself."""
Weighting = tuple[Count, ...]
"""The count of each member. Where classes have their own, each class's counts add up to the same; with thresholds, to
multiples of that."""
Weight = float | list[float]
"""A member's share of the blend, as files and the database hold it: one number, or one for each class."""

TOTAL = 256
"""What fitted counts add up to: 255 x 257 still fits into 16 bits, which is twice as fast as 32."""
_SMALL_TOTAL = 257
_FINE_TOTAL = 2**20
"""255 x 2**20 fits into 32 bits."""
_BLOCK = 32768
"""Pixels at a time: bounds memory, and keeps the sums near the processor."""


def counts_of(weights: Sequence[float]) -> tuple[int, ...]:
    """Whole numbers in the proportion of the weights: exactly, if a total of up to 257 can; else to one in a million.

    Raises:
        ValueError: a weight is negative or not finite, or all are 0.
    """
    shares = np.asarray(weights, dtype=np.float64)
    if not (np.isfinite(shares).all() and (shares >= 0).all() and shares.sum() > 0):
        raise ValueError(f"weights must be 0 or more, and not all 0: {list(weights)}")
    shares = shares / shares.sum()
    totals = np.arange(1, _SMALL_TOTAL + 1)[:, None]
    exact = np.abs(totals * shares - np.rint(totals * shares)).max(axis=1) < 1e-6
    total = int(totals[exact.argmax(), 0]) if exact.any() else _FINE_TOTAL
    return tuple(np.rint(total * shares).astype(int).tolist())


def weighting_of(weights: Sequence[Weight]) -> Weighting:
    """The weighting that `weights_of` gave these weights of."""
    plain = [weight for weight in weights if isinstance(weight, float | int)]
    if len(plain) == len(weights):
        return counts_of(plain)
    return tuple(tuple(np.rint(TOTAL * np.asarray(weight)).astype(int).tolist()) for weight in weights)


def weights_of(weighting: Weighting) -> list[Weight]:
    """Each member's share of the blend; the shares add up to 1, in each class where classes have their own."""
    total = total_of(weighting)
    return [[c / total for c in count] if isinstance(count, tuple) else count / total for count in weighting]


def total_of(weighting: Sequence[Count]) -> int:
    """What the counts add up to, in the class where that is most."""
    by_class = np.sum([np.atleast_1d(count) for count in weighting], axis=0)
    return int(by_class.max())


def of_models(weighting: Weighting, models: Sequence[int]) -> list[Count]:
    """The count of each model of each member, all models of a member alike.

    Args:
        models: how many each member has.
    """
    common = lcm(*models)
    return [
        _times(count, common // number) for count, number in zip(weighting, models, strict=True) for _ in range(number)
    ]


def rounded(shares: NDArray[np.float64]) -> Weighting:
    """Shares (M,) that add up to 1 as counts that add up to 256, or to the least number in the same proportion.

    The largest remainders are rounded up (Hamilton's method).
    """
    exact = TOTAL * shares
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: TOTAL - counts.sum()]] += 1
    divisor = reduce(gcd, counts.tolist())
    return tuple((counts // divisor).tolist())


def blend(views: Sequence[Bytes], weighting: Sequence[Count], method: Method = Method.MEAN) -> Bytes:
    """The label map of a weighted blend of probabilities; the lower class wins a tie.

    Args:
        views: uint8 (C, H, W) of each model.

    Returns:
        uint8 (H, W), class indices.
    """
    labels = [best_class(sums) for sums in blocks(views, weighting, method)]
    return np.concatenate(labels).reshape(views[0].shape[1:])


def blocks(views: Sequence[Bytes], weighting: Sequence[Count], method: Method = Method.MEAN) -> Iterator[Planes]:
    """The weighted sums (C, P) of an image's pixels, in blocks that bound memory."""
    kept = [
        (view.reshape(len(view), -1), count)
        for view, count in zip(views, weighting, strict=True)
        if counts_at_all(count)
    ]
    counts = [count for _, count in kept]
    for start in range(0, kept[0][0].shape[1], _BLOCK):
        part = slice(start, start + _BLOCK)
        yield weighted_sum([view[:, part] for view, _ in kept], counts, method)


def weighted_sum(planes: Sequence[Bytes], weighting: Sequence[Count], method: Method = Method.MEAN) -> Planes:
    """The sum of what uint8 (C, P) arrays say, each times its count, in the narrowest type that holds it."""
    experiments = len(planes)
    narrowest = np.min_scalar_type(method.largest_summand(experiments) * total_of(weighting))
    total = np.zeros(planes[0].shape, dtype=narrowest)
    for plane, count in zip(planes, weighting, strict=True):
        summands = method.summands(plane, experiments)
        if count == 1:
            total += summands
        else:
            total += summands.astype(narrowest) * np.asarray(count, dtype=narrowest).reshape(-1, 1)
    return total


def best_class(planes: Planes) -> Bytes:
    """The index of the greatest of (C, P) along the first axis, the lowest where several are equal: uint8 (P,).

    What `planes.argmax(axis=0)` says, four times as fast: a plane at a time is contiguous memory.
    """
    best = planes[0].copy()
    labels = np.zeros(best.shape, dtype=np.uint8)
    for index in range(1, len(planes)):
        better = planes[index] > best
        np.maximum(labels, better.view(np.uint8) * np.uint8(index), out=labels)
        np.maximum(best, planes[index], out=best)
    return labels


def counts_at_all(count: Count) -> bool:
    """Whether a member or model with this count changes anything."""
    return any(count) if isinstance(count, tuple) else count > 0


def _times(count: Count, factor: int) -> Count:
    return tuple(c * factor for c in count) if isinstance(count, tuple) else count * factor
