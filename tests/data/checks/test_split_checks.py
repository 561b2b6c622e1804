import pytest

from competition.data.checks.duplicates import ImagePair
from competition.data.checks.findings import Severity
from competition.data.checks.series import Series
from competition.data.checks.split_checks import check_folds, check_split, find_leaks
from competition.data.split.folds import Scheme, Split
from tests.data.checks.making import scan_of
from tests.data.making import make_manifest

CLASSES = ("sky", "car", "dog")


def split(*folds: int) -> Split:
    return Split(Scheme.IMPORTED, max(folds) + 1, 0, {f"i{k}": fold for k, fold in enumerate(folds)})


def test_a_group_in_two_folds_leaks() -> None:
    scan = scan_of(make_manifest(*[(50, 50)] * 6, groups="aabbcc"))
    (leak,) = find_leaks(scan, split(0, 0, 0, 1, -1, 0))
    assert (leak.severity, leak.count) == (Severity.LEAK, 2)
    assert leak.examples == ("b (fold 0, fold 1)", "c (train only, fold 0)")
    assert leak.what == "2 of 3 groups have images in different folds."
    assert find_leaks(scan, split(0, 0, 1, 1, -1, -1)) == ()


@pytest.mark.parametrize(("folds", "leaks"), [((0, 0), False), ((0, 1), True), ((-1, 0), True)])
def test_near_duplicates_in_two_folds_leak(folds: tuple[int, int], leaks: bool) -> None:
    manifest = make_manifest(*[(50, 50)] * 2)
    scan = scan_of(manifest, pairs=(ImagePair(*manifest.items, exact=False),))
    assert [leak.kind for leak in find_leaks(scan, split(*folds))] == ["leaking duplicates"] * leaks


def test_a_video_in_two_folds_leaks_unless_there_are_groups() -> None:
    plain, grouped = make_manifest(*[(50, 50)] * 4), make_manifest(*[(50, 50)] * 4, groups="aabb")
    (leak,) = find_leaks(scan_of(plain, series=(Series("i", plain.items),)), split(0, 0, 1, 1))
    assert leak.examples == ("i# (4 images; fold 0, fold 1)",)
    assert find_leaks(scan_of(plain, series=(Series("i", plain.items[:2]),)), split(0, 0, 1, 1)) == ()
    assert find_leaks(scan_of(grouped, series=(Series("i", grouped.items),)), split(0, 0, 1, 1)) == ()


def test_classes_that_a_fold_lacks() -> None:
    manifest = make_manifest((50, 50, 0), (100, 0, 0), (50, 50, 0), (100, 0, 0))
    examples = {f.kind: f.examples for f in check_folds(manifest, CLASSES, split(0, 1, 0, 1))}
    assert examples == {"unlearned classes": ("car (fold 0)",), "unscored classes": ("car (fold 1)",)}
    assert check_folds(manifest, CLASSES, split(0, 1, 1, 0)) == []


def test_leaks_come_before_classes_that_a_fold_lacks() -> None:
    scan = scan_of(make_manifest((50, 50, 0), (100, 0, 0), groups="aa"))
    assert [finding.kind for finding in check_split(scan, CLASSES, split(0, 1))] == [
        "leaking groups",
        "unlearned classes",
        "unscored classes",
    ]
