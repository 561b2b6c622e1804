import random
from collections import Counter

import numpy as np
import pytest

from competition.data.checks.alike import Pair
from competition.data.manifest import Manifest
from competition.data.split.folds import Scheme
from competition.data.split.make_folds import FoldResult, make_split
from competition.errors import DataError
from tests.data.making import item, make_manifest

SCHEMES = [scheme for scheme in Scheme if scheme is not Scheme.GIVEN]


def grouped(images: int = 36) -> Manifest:
    """Groups of three images, one of which carries the third class."""
    items = [item(f"i{k}", ((90, 10, 0), (80, 0, 20))[k % 3 == 0], group=f"g{k // 3}") for k in range(images)]
    return Manifest(tuple(items))


def dealt(
    manifest: Manifest,
    scheme: Scheme,
    *,
    alike: tuple[tuple[int, int], ...] = (),
    folds: int = 3,
    valid_fraction: float = 0.25,
    seed: int = 1,
) -> FoldResult:
    pairs = [Pair(manifest.items[i], manifest.items[j], exact=False) for i, j in alike]
    return make_split(manifest, pairs, scheme=scheme, folds=folds, valid_fraction=valid_fraction, seed=seed)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_image_is_validated_once_or_always_trained_on(scheme: Scheme) -> None:
    manifest = grouped()
    made = dealt(manifest, scheme).split
    everything = {i.id for i in manifest.items}
    assert made.folds == (1 if scheme is Scheme.HOLDOUT else 3)
    validated = [i for fold in range(made.folds) for i in made.valid_ids(fold)]
    assert len(validated) == len(set(validated))
    for fold in range(made.folds):
        train, valid = set(made.train_ids(fold)), set(made.valid_ids(fold))
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
    made = dealt(manifest, scheme).split
    assert dealt(Manifest(tuple(shuffled)), scheme).split == made
    assert len({dealt(manifest, scheme, seed=seed).split.hash for seed in range(6)}) > 1


@pytest.mark.parametrize("scheme", [Scheme.HOLDOUT, Scheme.GROUP, Scheme.STRATIFIED_GROUP])
def test_groups_stay_whole_where_the_scheme_is_about_them(scheme: Scheme) -> None:
    made = dealt(grouped(), scheme).split
    for group in range(12):
        assert len({made.assignment[f"i{3 * group + k}"] for k in range(3)}) == 1


@pytest.mark.parametrize("scheme", SCHEMES)
def test_images_that_are_alike_share_a_fold_in_every_scheme(scheme: Scheme) -> None:
    chain = ((0, 7), (7, 14), (14, 21), (3, 30))
    for seed in range(5):
        fold = list(dealt(grouped(), scheme, alike=chain, seed=seed).split.assignment.values())
        assert fold[0] == fold[7] == fold[14] == fold[21]
        assert fold[3] == fold[30]


def test_groups_that_alike_images_join_make_one_piece() -> None:
    made = dealt(grouped(12), Scheme.GROUP, alike=((0, 3), (6, 8)), folds=2)
    assert made.pieces.of == (0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2)
    assert made.pieces.sizes == (6, 3, 3)
    assert Counter(made.split.assignment.values()) == {0: 6, 1: 6}


def test_plain_folds_are_of_equal_size() -> None:
    made = dealt(make_manifest(*[(50, 50)] * 11), Scheme.KFOLD).split
    assert sorted(Counter(made.assignment.values()).values()) == [3, 4, 4]


def test_one_class_an_image_is_stratified_exactly() -> None:
    manifest = make_manifest(*[(100, 0, 0)] * 12, *[(0, 100, 0)] * 6, *[(0, 0, 100)] * 3)
    fold = np.array(list(dealt(manifest, Scheme.STRATIFIED).split.assignment.values()))
    for k in range(3):
        assert [(fold[:12] == k).sum(), (fold[12:18] == k).sum(), (fold[18:] == k).sum()] == [4, 2, 1]


def test_pixels_are_balanced_and_not_only_presence() -> None:
    manifest = make_manifest(*[(100 - p, p) for p in (40, 40, 40, 2, 2, 2)])
    fold = list(dealt(manifest, Scheme.STRATIFIED).split.assignment.values())
    assert sorted(fold[:3]) == sorted(fold[3:]) == [0, 1, 2]


def test_image_sizes_are_balanced() -> None:
    items = [item(f"i{k}", (50, 50)) for k in range(8)]
    wide = [item(f"w{k}", (100, 100), void=0) for k in range(4)]
    manifest = Manifest((*items, *(type(w)(**{**w.__dict__, "width": 20}) for w in wide)))
    fold = dealt(manifest, Scheme.STRATIFIED, folds=4).split.assignment
    assert sorted(fold[f"w{k}"] for k in range(4)) == [0, 1, 2, 3]


def test_a_hold_out_is_stratified_too() -> None:
    manifest = make_manifest(*[(100, 0)] * 12, *[(50, 50)] * 4)
    held = set(dealt(manifest, Scheme.HOLDOUT).split.valid_ids(0))
    assert len(held) == 4
    assert len(held & {f"i{k}" for k in range(12, 16)}) == 1


def test_folds_stay_the_same_on_every_machine() -> None:
    manifest = grouped(12)
    placed = {scheme: list(dealt(manifest, scheme).split.assignment.values()) for scheme in SCHEMES}
    assert placed == PINNED


PINNED = {
    Scheme.HOLDOUT: [0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1],
    Scheme.KFOLD: [0, 1, 0, 1, 2, 2, 2, 1, 1, 0, 0, 2],
    Scheme.STRATIFIED: [2, 1, 1, 0, 2, 2, 1, 2, 1, 0, 0, 0],
    Scheme.GROUP: [2, 2, 2, 0, 0, 0, 1, 1, 1, 0, 0, 0],
    Scheme.STRATIFIED_GROUP: [2, 2, 2, 0, 0, 0, 1, 1, 1, 0, 0, 0],
}


def test_uneven_pieces_are_said_with_the_choices() -> None:
    even = dealt(grouped(), Scheme.STRATIFIED_GROUP)
    assert even.unevenness() == ""
    chain = tuple((k, k + 1) for k in range(17))
    said = dealt(grouped(), Scheme.STRATIFIED_GROUP, alike=chain).unevenness()
    assert "18 of 36 images belong together" in said
    assert "--folds 2" in said
    assert "--folds-csv" in said
    assert dealt(grouped(), Scheme.HOLDOUT, alike=chain).unevenness() == ""


@pytest.mark.parametrize("scheme", [Scheme.GROUP, Scheme.STRATIFIED_GROUP])
def test_group_schemes_need_groups(scheme: Scheme) -> None:
    with pytest.raises(DataError, match="they have no groups") as caught:
        dealt(make_manifest(*[(50, 50)] * 9), scheme)
    assert "group_regex" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("scheme", "folds", "complaint"),
    [
        (Scheme.KFOLD, 7, "6 pieces cannot make 7 folds"),
        (Scheme.STRATIFIED, 1, "6 pieces cannot make 1 folds"),
        (Scheme.GROUP, 4, "3 pieces cannot make 4 folds"),
    ],
)
def test_too_few_pieces_are_said_with_the_choices(scheme: Scheme, folds: int, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint) as caught:
        dealt(make_manifest(*[(50, 50)] * 6, groups="aabbcc"), scheme, folds=folds)
    for choice in ("--folds 2 to", "--scheme holdout", "--folds-csv"):
        assert choice in (caught.value.hint or "")


def test_a_single_piece_cannot_be_split() -> None:
    with pytest.raises(DataError, match="All 3 images belong together"):
        dealt(make_manifest(*[(50, 50)] * 3), Scheme.KFOLD, alike=((0, 1), (1, 2)), folds=2)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -1.0, float("nan")])
def test_a_hold_out_takes_a_share(fraction: float) -> None:
    with pytest.raises(DataError, match="lies between 0 and 1"):
        dealt(make_manifest(*[(50, 50)] * 6), Scheme.HOLDOUT, valid_fraction=fraction)
