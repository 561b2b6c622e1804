"""Kinds of images: photos by day and by night, stained and fluorescent slides, two cameras."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.data.eda.appearance import FEATURES

Floats = NDArray[np.float64]

MOST_CLUSTERS = 6
DISTINCT = 0.4
"""A split into kinds counts only above this silhouette (Rousseeuw 1987): below, the clusters run into each other."""

_FEWEST_IMAGES = 12
_EXAMPLES = 4
_NOTABLE = 0.6
"""A kind is named after the features in which it lies this many standard deviations from the whole."""


@dataclass(frozen=True)
class Cluster:
    """One kind of images.

    Args:
        words: what tells it from the others, such as `bright, reddish`.
        images: how many of those looked at.
        examples: ids, the most typical first.
        members: ids of all of them, in the order given.
    """

    words: str
    images: int
    examples: tuple[str, ...]
    members: tuple[str, ...]


def find_clusters(ids: Sequence[str], features: Floats, *, seed: int) -> tuple[Cluster, ...]:
    """The kinds that the images fall into by their features, float64 (N, F), the largest first.

    One kind where the images look alike, or are too few to tell.
    """
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    assigned = _assign(scaled, seed) if len(ids) >= _FEWEST_IMAGES else np.zeros(len(ids), dtype=np.intp)
    found = [_describe(ids, scaled, assigned == number) for number in np.unique(assigned)]
    return tuple(sorted(found, key=lambda cluster: (-cluster.images, cluster.words)))


def _assign(scaled: Floats, seed: int) -> NDArray[np.intp]:
    """The number of each image's kind, intp (N,): k-means with the number of kinds that are told apart best."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    best, assigned = DISTINCT, np.zeros(len(scaled), dtype=np.intp)
    distinct = len(np.unique(scaled.round(6), axis=0))
    for number in range(2, min(MOST_CLUSTERS, distinct - 1) + 1):
        labels = KMeans(number, n_init=5, random_state=seed).fit_predict(scaled)
        score = float(silhouette_score(scaled, labels))
        if score > best:
            best, assigned = score, labels.astype(np.intp)
    return assigned


def _describe(ids: Sequence[str], scaled: Floats, chosen: NDArray[np.bool_]) -> Cluster:
    centre = scaled[chosen].mean(axis=0)
    strongest = sorted(range(len(FEATURES)), key=lambda f: (-abs(centre[f]), f))
    notable = [f for f in strongest if abs(centre[f]) >= _NOTABLE][:3]
    words = ", ".join(FEATURES[f].high if centre[f] > 0 else FEATURES[f].low for f in notable)
    members = [image_id for image_id, mine in zip(ids, chosen, strict=True) if mine]
    nearest = np.argsort(np.linalg.norm(scaled[chosen] - centre, axis=1), kind="stable")
    examples = tuple(members[place] for place in nearest[:_EXAMPLES])
    return Cluster(words or "average", len(members), examples, tuple(members))
