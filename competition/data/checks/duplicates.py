"""Near-duplicates: images that are the same file, or look nearly the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.data.checks.image_hashes import ImageHashes, near_pairs
from competition.data.manifest import Item, Manifest


@dataclass(frozen=True)
class ImagePair:
    """Two near-duplicates.

    Args:
        exact: they are the same file, byte for byte.
    """

    first: Item
    second: Item
    exact: bool

    def __str__(self) -> str:
        return f"{self.first.id} = {self.second.id}" if self.exact else f"{self.first.id} ~ {self.second.id}"


@dataclass(frozen=True)
class NearDuplicates:
    """Every pair of near-duplicates: two labelled images, or a labelled and a test image.

    Images of one colour are left out: two black images are equal, and a model learns nothing from it.
    """

    labelled: tuple[ImagePair, ...]
    with_test: tuple[ImagePair, ...]


@dataclass(frozen=True)
class DuplicateGroup:
    """Images that are near-duplicates, directly or by way of others.

    Args:
        labelled: ids of the labelled images.
        test: ids of the test images.
        exact: every pair among them is the same file, byte for byte.
    """

    labelled: tuple[str, ...]
    test: tuple[str, ...]
    exact: bool

    def __len__(self) -> int:
        return len(self.labelled) + len(self.test)


def find_duplicates(manifest: Manifest, hashes: ImageHashes) -> NearDuplicates:
    """The near-duplicates of a competition, in natural order."""
    items = [*manifest.items, *manifest.test]
    comparable = hashes.comparable(items)
    pairs = np.asarray(comparable, dtype=np.int64)[near_pairs(hashes.stack(items[i] for i in comparable))]
    numbers = {(int(i), int(j)) for i, j in pairs} | _same_files(items, hashes)
    labelled, with_test = [], []
    for i, j in sorted(numbers):
        pair = ImagePair(items[i], items[j], items[i].image_sha256 == items[j].image_sha256)
        if j < len(manifest.items):
            labelled.append(pair)
        elif i < len(manifest.items):
            with_test.append(pair)
    return NearDuplicates(tuple(labelled), tuple(with_test))


def group_duplicates(duplicates: NearDuplicates) -> tuple[DuplicateGroup, ...]:
    """The pairs joined where they share an image, the largest group first."""
    pairs = [*duplicates.labelled, *duplicates.with_test]
    items = list(dict.fromkeys(item for pair in pairs for item in (pair.first, pair.second)))
    position = {item: i for i, item in enumerate(items)}
    group_of = connected(len(items), [(position[pair.first], position[pair.second]) for pair in pairs])
    pairs_of: dict[int, list[ImagePair]] = {}
    for pair in pairs:
        pairs_of.setdefault(group_of[position[pair.first]], []).append(pair)
    return tuple(sorted(map(_group, pairs_of.values()), key=lambda group: -len(group)))


def connected(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The connected component of each of `count` nodes, numbered in the order of their first nodes."""
    if not edges:  # scipy.sparse takes a tenth of a second to import; most data sets have no edges
        return list(range(count))
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends: NDArray[np.int64] = np.array(edges, dtype=np.int64)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    _, components = connected_components(graph, directed=False)
    numbers: dict[int, int] = {}  # scipy does not promise an order of its numbers, and the folds depend on it
    return [numbers.setdefault(component, len(numbers)) for component in components.tolist()]


def _same_files(items: Sequence[Item], hashes: ImageHashes) -> set[tuple[int, int]]:
    """Pairs of the same file without a hash or with a flat one, which near_pairs cannot find."""
    last: dict[str, int] = {}
    pairs: set[tuple[int, int]] = set()
    for position, item in enumerate(items):
        image_hash = hashes.find(item)
        if image_hash is not None and (image_hash.constant or not image_hash.flat):
            continue
        if item.image_sha256 in last:
            pairs.add((last[item.image_sha256], position))
        last[item.image_sha256] = position
    return pairs


def _group(pairs: Iterable[ImagePair]) -> DuplicateGroup:
    items = dict.fromkeys(item for pair in pairs for item in (pair.first, pair.second))
    return DuplicateGroup(
        labelled=tuple(item.id for item in items if item.is_labelled),
        test=tuple(item.id for item in items if not item.is_labelled),
        exact=all(pair.exact for pair in pairs),
    )
