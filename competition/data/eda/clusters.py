"""Kinds of images, such as photos by day and by night, stained and fluorescent slides, or two cameras."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.data.eda.appearance import FEATURES

Floats = NDArray[np.float64]

MOST_CLUSTERS = 6
DISTINCT = 0.4
"""Kinds count only above this silhouette score (Rousseeuw 1987): below, the clusters overlap."""

_FEWEST_IMAGES = 12
_EXAMPLES = 4
_NOTABLE = 0.6
"""A kind is named after features whose mean is this many standard deviations from the mean of all images."""


@dataclass(frozen=True)
class Cluster:
    """One kind of images.

    Args:
        words: the features that distinguish it, such as `bright, reddish`.
        images: their number in the sample.
        examples: ids, the most typical first.
        members: ids of all its images, in the order of the sample.
    """

    words: str
    images: int
    examples: tuple[str, ...]
    members: tuple[str, ...]


def find_clusters(ids: Sequence[str], features: Floats, *, seed: int) -> tuple[Cluster, ...]:
    """The kinds of the images by their features, float64 (N, F), the largest first.

    A single kind if the images look alike, or are too few.
    """
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    assigned = _assign(scaled, seed) if len(ids) >= _FEWEST_IMAGES else np.zeros(len(ids), dtype=np.intp)
    clusters = [_describe(ids, scaled, assigned == number) for number in np.unique(assigned)]
    return tuple(sorted(clusters, key=lambda cluster: (-cluster.images, cluster.words)))


def _assign(scaled: Floats, seed: int) -> NDArray[np.intp]:
    """The kind of each image, intp (N,): k-means, with as many kinds as give the best silhouette score."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    best, assigned = DISTINCT, np.zeros(len(scaled), dtype=np.intp)
    # k-means warns if it gets fewer different points than clusters. Rounded: equal images may differ by a float error.
    distinct = len(np.unique(scaled.round(6), axis=0))
    for number in range(2, min(MOST_CLUSTERS, distinct - 1) + 1):
        labels = KMeans(number, n_init=5, random_state=seed).fit_predict(scaled)
        score = float(silhouette_score(scaled, labels))
        if score > best:
            best, assigned = score, labels.astype(np.intp)
    return assigned


def _describe(ids: Sequence[str], scaled: Floats, inside: NDArray[np.bool_]) -> Cluster:
    centre = scaled[inside].mean(axis=0)
    strongest = sorted(range(len(FEATURES)), key=lambda f: (-abs(centre[f]), f))
    notable = [f for f in strongest if abs(centre[f]) >= _NOTABLE][:3]
    words = ", ".join(FEATURES[f].high if centre[f] > 0 else FEATURES[f].low for f in notable)
    members = [image_id for image_id, is_inside in zip(ids, inside, strict=True) if is_inside]
    nearest = np.argsort(np.linalg.norm(scaled[inside] - centre, axis=1), kind="stable")
    examples = tuple(members[position] for position in nearest[:_EXAMPLES])
    return Cluster(words or "average", len(members), examples, tuple(members))
