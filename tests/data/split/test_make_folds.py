import random
from collections import Counter

import numpy as np
import pytest

from competition.data.checks.duplicates import ImagePair
from competition.data.manifest import Manifest
from competition.data.split.folds import Scheme
from competition.data.split.make_folds import FoldResult, bundle_images, make_split
from competition.errors import DataError
from tests.data.making import item, make_manifest

SCHEMES = [scheme for scheme in Scheme if scheme is not Scheme.IMPORTED]


def grouped(images: int = 36) -> Manifest:
    """Groups of three images, one of which carries the third class."""
    items = [item(f"i{k}", ((90, 10, 0), (80, 0, 20))[k % 3 == 0], group=f"g{k // 3}") for k in range(images)]
    return Manifest(tuple(items))


def make(
    manifest: Manifest,
    scheme: Scheme,
    *,
    duplicates: tuple[tuple[int, int], ...] = (),
    folds: int = 3,
    valid_fraction: float = 0.25,
    seed: int = 1,
) -> FoldResult:
    pairs = [ImagePair(manifest.items[i], manifest.items[j], exact=False) for i, j in duplicates]
    return make_split(manifest, pairs, scheme=scheme, folds=folds, valid_fraction=valid_fraction, seed=seed)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_image_is_validated_once_or_always_trained_on(scheme: Scheme) -> None:
    manifest = grouped()
    result = make(manifest, scheme).split
    everything = {i.id for i in manifest.items}
    assert result.folds == (1 if scheme is Scheme.HOLDOUT else 3)
    validated = [i for fold in range(result.folds) for i in result.valid_ids(fold)]
    assert len(validated) == len(set(validated))
    for fold in range(result.folds):
        train, valid = set(result.train_ids(fold)), set(result.valid_ids(fold))
        assert train
        assert valid
        assert not train & valid
        assert train | valid == everything
    assert len(validated) == (9 if scheme is Scheme.HOLDOUT else 36)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_seed_decides_it_and_the_order_of_files_does_not(scheme: Scheme) -> None:
    manifest = grouped()
    shuffled = list(manifest.items)
    random.Random(3).shuffle(shuffled)
    result = make(manifest, scheme).split
    assert make(Manifest(tuple(shuffled)), scheme).split == result
    assert len({make(manifest, scheme, seed=seed).split.hash for seed in range(6)}) > 1


@pytest.mark.parametrize("scheme", [Scheme.HOLDOUT, Scheme.GROUP, Scheme.STRATIFIED_GROUP])
def test_groups_stay_whole_where_the_scheme_is_about_them(scheme: Scheme) -> None:
    result = make(grouped(), scheme).split
    for group in range(12):
        assert len({result.assignment[f"i{3 * group + k}"] for k in range(3)}) == 1


@pytest.mark.parametrize("scheme", SCHEMES)
def test_near_duplicates_share_a_fold_in_every_scheme(scheme: Scheme) -> None:
    chain = ((0, 7), (7, 14), (14, 21), (3, 30))
    for seed in range(5):
        fold = list(make(grouped(), scheme, duplicates=chain, seed=seed).split.assignment.values())
        assert fold[0] == fold[7] == fold[14] == fold[21]
        assert fold[3] == fold[30]


def test_groups_that_near_duplicates_join_make_one_bundle() -> None:
    result = make(grouped(12), Scheme.GROUP, duplicates=((0, 3), (6, 8)), folds=2)
    assert result.bundles.of == (0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2)
    assert result.bundles.sizes == (6, 3, 3)
    assert Counter(result.split.assignment.values()) == {0: 6, 1: 6}


def test_plain_folds_are_of_equal_size() -> None:
    result = make(make_manifest(*[(50, 50)] * 11), Scheme.KFOLD).split
    assert sorted(Counter(result.assignment.values()).values()) == [3, 4, 4]


def test_one_class_an_image_is_stratified_exactly() -> None:
    manifest = make_manifest(*[(100, 0, 0)] * 12, *[(0, 100, 0)] * 6, *[(0, 0, 100)] * 3)
    fold = np.array(list(make(manifest, Scheme.STRATIFIED).split.assignment.values()))
    for k in range(3):
        assert [(fold[:12] == k).sum(), (fold[12:18] == k).sum(), (fold[18:] == k).sum()] == [4, 2, 1]


def test_pixels_are_balanced_and_not_only_presence() -> None:
    manifest = make_manifest(*[(100 - p, p) for p in (40, 40, 40, 2, 2, 2)])
    fold = list(make(manifest, Scheme.STRATIFIED).split.assignment.values())
    assert sorted(fold[:3]) == sorted(fold[3:]) == [0, 1, 2]


def test_image_sizes_are_balanced() -> None:
    items = [item(f"i{k}", (50, 50)) for k in range(8)]
    wide = [item(f"w{k}", (100, 100), void=0) for k in range(4)]
    manifest = Manifest((*items, *(type(w)(**{**w.__dict__, "width": 20}) for w in wide)))
    fold = make(manifest, Scheme.STRATIFIED, folds=4).split.assignment
    assert sorted(fold[f"w{k}"] for k in range(4)) == [0, 1, 2, 3]


def test_a_hold_out_is_stratified_too() -> None:
    manifest = make_manifest(*[(100, 0)] * 12, *[(50, 50)] * 4)
    held = set(make(manifest, Scheme.HOLDOUT).split.valid_ids(0))
    assert len(held) == 4
    assert len(held & {f"i{k}" for k in range(12, 16)}) == 1


def test_folds_stay_the_same_on_every_machine() -> None:
    manifest = grouped(12)
    folds_of = {scheme: list(make(manifest, scheme).split.assignment.values()) for scheme in SCHEMES}
    assert folds_of == PINNED


PINNED = {
    Scheme.HOLDOUT: [0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1],
    Scheme.KFOLD: [0, 1, 0, 1, 2, 2, 2, 1, 1, 0, 0, 2],
    Scheme.STRATIFIED: [2, 1, 1, 0, 2, 2, 1, 2, 1, 0, 0, 0],
    Scheme.GROUP: [2, 2, 2, 0, 0, 0, 1, 1, 1, 0, 0, 0],
    Scheme.STRATIFIED_GROUP: [2, 2, 2, 0, 0, 0, 1, 1, 1, 0, 0, 0],
}


def test_uneven_bundles_are_reported_with_the_choices() -> None:
    even = make(grouped(), Scheme.STRATIFIED_GROUP)
    assert even.unevenness() == ""
    chain = tuple((k, k + 1) for k in range(17))
    sentence = make(grouped(), Scheme.STRATIFIED_GROUP, duplicates=chain).unevenness()
    assert "18 of 36 images belong together" in sentence
    assert "--folds 2" in sentence
    assert "--folds-csv" in sentence
    assert make(grouped(), Scheme.HOLDOUT, duplicates=chain).unevenness() == ""


@pytest.mark.parametrize("scheme", [Scheme.GROUP, Scheme.STRATIFIED_GROUP])
def test_group_schemes_need_groups(scheme: Scheme) -> None:
    with pytest.raises(DataError, match="the data has no groups") as caught:
        make(make_manifest(*[(50, 50)] * 9), scheme)
    assert "group_regex" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("scheme", "folds", "complaint"),
    [
        (Scheme.KFOLD, 7, "--folds 7 is not possible: .* only 6 bundles"),
        (Scheme.STRATIFIED, 1, "--folds 1 is not possible"),
        (Scheme.GROUP, 4, "--folds 4 is not possible: groups and .* only 3 bundles"),
    ],
)
def test_too_few_bundles_are_reported_with_the_choices(scheme: Scheme, folds: int, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint) as caught:
        make(make_manifest(*[(50, 50)] * 6, groups="aabbcc"), scheme, folds=folds)
    for choice in ("--folds 2 to", "--scheme holdout", "--folds-csv"):
        assert choice in (caught.value.hint or "")


def test_a_single_bundle_cannot_be_split() -> None:
    with pytest.raises(DataError, match="all 3 images belong together"):
        make(make_manifest(*[(50, 50)] * 3), Scheme.KFOLD, duplicates=((0, 1), (1, 2)), folds=2)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -1.0, float("nan")])
def test_a_hold_out_takes_a_share(fraction: float) -> None:
    with pytest.raises(DataError, match="must lie between 0 and 1"):
        make(make_manifest(*[(50, 50)] * 6), Scheme.HOLDOUT, valid_fraction=fraction)


ITEMS = make_manifest(*[(50, 50)] * 6, groups="aab bc").items


def pairs(*numbers: tuple[int, int]) -> list[ImagePair]:
    return [ImagePair(ITEMS[i], ITEMS[j], exact=True) for i, j in numbers]


def test_near_duplicates_and_groups_are_joined_along_chains() -> None:
    assert bundle_images(ITEMS, pairs((0, 3), (3, 5)), keep_groups=False).of == (0, 1, 2, 0, 3, 0)
    assert bundle_images(ITEMS, pairs((1, 3)), keep_groups=True).of == (0, 0, 1, 0, 1, 2)
    assert bundle_images(ITEMS, pairs((1, 4)), keep_groups=True).of == (0, 0, 0, 1, 0, 2)


def test_without_pairs_every_image_is_a_bundle() -> None:
    assert bundle_images(ITEMS, [], keep_groups=False).sizes == (1,) * 6
