"""Pictures that are alike: which labelled ones are twins of each other, and which are twins of test pictures."""

from dataclasses import dataclass

import numpy as np

from competition.data.checks.hashes import near_pairs
from competition.data.checks.looks import Looks
from competition.data.manifest import Item, Manifest


@dataclass(frozen=True)
class Pair:
    """Two pictures that are alike.

    Args:
        exact: they are the same file, byte for byte.
    """

    first: Item
    second: Item
    exact: bool

    def __str__(self) -> str:
        return f"{self.first.id} = {self.second.id}" if self.exact else f"{self.first.id} ~ {self.second.id}"


@dataclass(frozen=True)
class Alike:
    """Every pair of alike pictures: two labelled ones, and a labelled one with a test picture.

    Constant pictures are left out: two black images are equal, and tell a model nothing about each other.
    """

    labelled: tuple[Pair, ...]
    with_test: tuple[Pair, ...]


def find_alike(manifest: Manifest, looks: Looks) -> Alike:
    """The pairs of equal or nearly equal pictures of a competition, in natural order."""
    items = [*manifest.items, *manifest.test]
    telling = looks.telling(items)
    pairs = np.asarray(telling, dtype=np.int64)[near_pairs(looks.hashes(items[i] for i in telling))]
    found = {(int(i), int(j)) for i, j in pairs} | _same_file(items, looks)
    labelled, with_test = [], []
    for i, j in sorted(found):
        pair = Pair(items[i], items[j], items[i].image_sha256 == items[j].image_sha256)
        if j < len(manifest.items):
            labelled.append(pair)
        elif i < len(manifest.items):
            with_test.append(pair)
    return Alike(tuple(labelled), tuple(with_test))


def _same_file(items: list[Item], looks: Looks) -> set[tuple[int, int]]:
    """Pairs of the same file whose looks say nothing or are unknown: the hashes cannot find these."""
    last: dict[str, int] = {}
    pairs: set[tuple[int, int]] = set()
    for place, item in enumerate(items):
        look = looks.look(item)
        if look is not None and (look.constant or not look.flat):
            continue
        if item.image_sha256 in last:
            pairs.add((last[item.image_sha256], place))
        last[item.image_sha256] = place
    return pairs
