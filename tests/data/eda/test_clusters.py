import numpy as np

from competition.data.eda.appearance import FEATURES, NAMES
from competition.data.eda.clusters import find_clusters


def looks(number: int, seed: int, **means: float) -> np.ndarray:
    features = np.random.default_rng(seed).normal(0, 1, (number, len(FEATURES)))
    for name, mean in means.items():
        features[:, NAMES.index(name)] += mean
    return features


IDS = [f"i{n}" for n in range(40)]


def test_two_kinds_are_found_and_named() -> None:
    spread = {"brightness": 20.0, "saturation": 20.0, "contrast": 20.0, "sharpness": 20.0}
    features = np.concatenate([looks(10, 1, **spread), looks(30, 2)])
    large, small = find_clusters(IDS, features, seed=0)
    assert (large.images, small.images) == (30, 10)
    assert set(small.members) == set(IDS[:10])
    assert set(small.examples) <= set(small.members)
    assert len(small.words.split(", ")) == 3
    assert set(small.words.split(", ")) <= {"bright", "colourful", "contrasty", "detailed"}


def test_one_kind_is_one_kind() -> None:
    (only,) = find_clusters(IDS, looks(40, 3), seed=0)
    assert only.members == tuple(IDS)


def test_few_or_equal_images_are_one_kind() -> None:
    assert len(find_clusters(IDS[:3], looks(3, 0), seed=0)) == 1
    assert len(find_clusters(IDS, np.zeros((40, len(FEATURES))), seed=0)) == 1
