"""What a split must not tear apart: images that are alike, and images of one group."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from competition.data.checks.alike import Pair
from competition.data.manifest import Item


@dataclass(frozen=True)
class Pieces:
    """Every image with what belongs to it.

    Args:
        of: (N,): the piece of each item, numbered in the order of their first items.
    """

    of: tuple[int, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many images each piece holds."""
        counts = Counter(self.of)
        return tuple(counts[piece] for piece in range(len(counts)))


def find_pieces(items: tuple[Item, ...], pairs: Iterable[Pair], *, keep_groups: bool) -> Pieces:
    """The connected components of "these two are alike" and, with `keep_groups`, "these two are of one group"."""
    place = {item.id: i for i, item in enumerate(items)}
    root = list(range(len(items)))

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    def join(i: int, j: int) -> None:
        low, high = sorted((find(i), find(j)))
        root[high] = low

    for pair in pairs:
        join(place[pair.first.id], place[pair.second.id])
    if keep_groups:
        first: dict[str, int] = {}
        for i, item in enumerate(items):
            if item.group:
                join(first.setdefault(item.group, i), i)
    numbers: dict[int, int] = {}
    return Pieces(tuple(numbers.setdefault(find(i), len(numbers)) for i in range(len(items))))
