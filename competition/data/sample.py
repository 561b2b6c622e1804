"""A small sample of images that still holds every class."""

import math
from collections import Counter
from collections.abc import Iterable

import numpy as np

from competition.data.manifest import Item, Manifest
from competition.data.naming import natural_key


def sample_images(manifest: Manifest, ids: Iterable[str], *, share: float, at_least: int, seed: int) -> list[str]:
    """A sample of the labelled images `ids`, in natural order.

    First come images that together show every class, the rarest class first; the others are spread evenly over the
    groups. The same ids in another order give the same sample.

    Args:
        share: the part of the images to take, 0 to 1.
        at_least: take at least this many, if there are as many.
    """
    candidates = [manifest.item(image_id) for image_id in sorted(ids, key=natural_key)]
    size = min(len(candidates), max(math.ceil(share * len(candidates)), at_least))
    shuffled = [candidates[i] for i in np.random.RandomState(seed).permutation(len(candidates))]
    taken = _one_of_each_class(shuffled, most=size)
    taken += _spread_over_groups(shuffled, taken, number=size - len(taken))
    return sorted((item.id for item in taken), key=natural_key)


def _one_of_each_class(items: list[Item], *, most: int) -> list[Item]:
    """At most `most` images that together show every class; the rarest class picks first."""
    images_with = Counter(c for item in items for c in _classes(item))
    missing = set(images_with)
    taken: list[Item] = []
    while missing and len(taken) < most:
        rarest = min(missing, key=lambda c: (images_with[c], c))
        groups = Counter(item.group for item in taken)
        best = max(
            (item for item in items if item.pixels[rarest]),
            key=lambda item: (len(missing & _classes(item)), -groups[item.group]),
        )
        taken.append(best)
        missing -= _classes(best)
    return taken


def _spread_over_groups(items: list[Item], taken: list[Item], *, number: int) -> list[Item]:
    """`number` more images, from the groups in turn; groups with the fewest images in the sample come first."""
    in_sample = Counter(item.group for item in taken)
    already = {item.id for item in taken}
    turns: list[tuple[int, int, Item]] = []
    for position, item in enumerate(items):
        if item.id not in already:
            turns.append((in_sample[item.group], position, item))
            in_sample[item.group] += 1
    return [item for _, _, item in sorted(turns, key=lambda turn: turn[:2])[:number]]


def _classes(item: Item) -> frozenset[int]:
    return frozenset(c for c, pixels in enumerate(item.pixels) if pixels)
