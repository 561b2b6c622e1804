"""The small sample of images that a debug job trains on."""

import math
from collections import Counter
from collections.abc import Iterable

import numpy as np

from competition.data.manifest import Item, Manifest
from competition.data.naming import natural_key


def debug_sample(manifest: Manifest, ids: Iterable[str], *, share: float = 0.05, at_least: int, seed: int) -> list[str]:
    """A sample of the labelled images `ids`, in natural order.

    It holds `share` of them, and no fewer than `at_least` while there are as many. Every class that occurs among them
    occurs in the sample as far as its size allows (the rarest come first); the rest is spread evenly over the groups.
    The same ids in another order give the same sample.
    """
    candidates = [manifest.item(image_id) for image_id in sorted(ids, key=natural_key)]
    wanted = min(len(candidates), max(math.ceil(share * len(candidates)), at_least))
    shuffled = [candidates[i] for i in np.random.RandomState(seed).permutation(len(candidates))]
    taken = _one_of_each_class(shuffled, most=wanted)
    taken += _spread_over_groups(shuffled, taken, number=wanted - len(taken))
    return sorted((item.id for item in taken), key=natural_key)


def _one_of_each_class(items: list[Item], *, most: int) -> list[Item]:
    """At most `most` images that together carry every class; the rarest class picks first."""
    carried = Counter(c for item in items for c in _classes(item))
    missing = set(carried)
    taken: list[Item] = []
    while missing and len(taken) < most:
        rarest = min(missing, key=lambda c: (carried[c], c))
        groups = Counter(item.group for item in taken)
        best = max(
            (item for item in items if item.pixels[rarest]),
            key=lambda item: (len(missing & _classes(item)), -groups[item.group]),
        )
        taken.append(best)
        missing -= _classes(best)
    return taken


def _spread_over_groups(items: list[Item], taken: list[Item], *, number: int) -> list[Item]:
    """`number` more images, from the groups in turn, those first that have given the fewest."""
    given = Counter(item.group for item in taken)
    already = {item.id for item in taken}
    turns: list[tuple[int, int, Item]] = []
    for place, item in enumerate(items):
        if item.id not in already:
            turns.append((given[item.group], place, item))
            given[item.group] += 1
    return [item for _, _, item in sorted(turns, key=lambda turn: turn[:2])[:number]]


def _classes(item: Item) -> frozenset[int]:
    return frozenset(c for c, pixels in enumerate(item.pixels) if pixels)
