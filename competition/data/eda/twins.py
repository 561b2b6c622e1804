"""Groups of pictures that are alike: the pairs that `data.checks` finds, joined where they share a picture."""

from collections.abc import Iterable
from dataclasses import dataclass

from competition.data.checks.alike import Alike, Pair
from competition.data.manifest import Item


@dataclass(frozen=True)
class Twins:
    """Pictures that are alike, directly or through others.

    Args:
        labelled: ids of the labelled ones.
        test: ids of the test pictures.
        exact: every pair that was found among them is the same file, byte for byte.
    """

    labelled: tuple[str, ...]
    test: tuple[str, ...]
    exact: bool

    def __len__(self) -> int:
        return len(self.labelled) + len(self.test)


def find_twins(alike: Alike) -> tuple[Twins, ...]:
    """The groups, the largest first."""
    pairs = [*alike.labelled, *alike.with_test]
    leader: dict[Item, Item] = {}
    for pair in pairs:
        leader[_leader(leader, pair.first)] = _leader(leader, pair.second)
    groups: dict[Item, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(_leader(leader, pair.first), []).append(pair)
    found = [_twins(group) for group in groups.values()]
    return tuple(sorted(found, key=lambda twins: -len(twins)))


def _leader(leader: dict[Item, Item], item: Item) -> Item:
    """The item that stands for the group that `item` is in."""
    while leader.setdefault(item, item) is not item:
        leader[item] = leader[leader[item]]
        item = leader[item]
    return item


def _twins(pairs: Iterable[Pair]) -> Twins:
    members = {item: None for pair in pairs for item in (pair.first, pair.second)}
    return Twins(
        labelled=tuple(item.id for item in members if item.is_labelled),
        test=tuple(item.id for item in members if not item.is_labelled),
        exact=all(pair.exact for pair in pairs),
    )
