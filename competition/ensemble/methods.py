"""The ways of making one decision out of several models' probabilities."""

from collections.abc import Callable
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from competition.errors import UnknownNameError
from competition.predictions.probabilities import LEVELS, Bytes

Planes = NDArray[np.unsignedinteger]


class Method(StrEnum):
    """How members are blended. In all of them what every member puts first comes first, ties included."""

    AUTO = "auto"
    """`weighted` if that gains more than one standard error over `mean`, else `mean`."""
    MEAN = "mean"
    """The mean of the probabilities."""
    WEIGHTED = "weighted"
    """Their mean by weights that maximise the metric on out-of-fold pixels."""
    PER_CLASS = "per-class"
    """The same with weights for each class by itself."""
    VOTE = "vote"
    """The class that most members name; among equals the one with the greatest mean probability."""
    GEOMETRIC = "geometric"
    """The geometric mean of the probabilities: one member that rules a class out counts for much."""
    RANK = "rank"
    """The mean rank of each class within the pixel (Borda's count): how sure a member is does not count."""

    @classmethod
    def named(cls, name: str) -> "Method":
        """The method with this name.

        Raises:
            UnknownNameError: there is none; the methods are listed.
        """
        if name not in list(cls):
            raise UnknownNameError(f"There is no method {name!r}.", hint=f"Methods: {', '.join(cls)}")
        return cls(name)

    @property
    def is_fitted(self) -> bool:
        """Whether its weights come from out-of-fold pixels."""
        return self in (Method.WEIGHTED, Method.PER_CLASS)

    @property
    def is_convex(self) -> bool:
        """Whether it is a convex combination of probabilities, class by class."""
        return self is Method.MEAN or self.is_fitted

    def summands(self, planes: Bytes, experiments: int) -> Planes:
        """What one of `members` members says of its pixels, to be added up: whole numbers (C, P)."""
        return _SUMMANDS[self](planes, experiments) if self in _SUMMANDS else planes

    def largest_summand(self, experiments: int) -> int:
        """The greatest mark that there can be."""
        if self is Method.VOTE:
            return LEVELS * (experiments + 1) + 1
        return int(_logarithms()[-1]) if self is Method.GEOMETRIC else LEVELS


def _votes(planes: Bytes, experiments: int) -> Planes:
    """A vote is worth more than all probabilities together, so that these only part equals."""
    summands: Planes = planes.astype(np.uint32)
    first = planes.argmax(axis=0)
    summands[first, np.arange(planes.shape[1])] += LEVELS * experiments + 1
    return summands


def _log_probabilities(planes: Bytes, experiments: int) -> Planes:
    summands: Planes = _logarithms()[planes]
    return summands


def _ranks(planes: Bytes, experiments: int) -> Planes:
    """How many classes lie below each class."""
    summands: Planes = np.zeros(planes.shape, dtype=np.uint8)
    for other in planes:
        summands += other < planes
    return summands


@cache
def _logarithms() -> Planes:
    """The logarithm of each byte's probability in steps of 1/4096, from 0; a byte of 0 counts as half a level."""
    levels = np.maximum(np.arange(LEVELS + 1), 0.5)
    steps: Planes = np.rint(4096 * np.log(levels / 0.5)).astype(np.uint16)
    return steps


_SUMMANDS: dict[Method, Callable[[Bytes, int], Planes]] = {
    Method.VOTE: _votes,
    Method.GEOMETRIC: _log_probabilities,
    Method.RANK: _ranks,
}
