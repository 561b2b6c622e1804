from competition.data.checks.finding import Severity
from competition.data.checks.labels import check_folds, check_masks
from competition.data.split.folds import Scheme, Split
from tests.data.making import make_manifest

CLASSES = ("sky", "car", "dog")


def test_masks_with_one_thing_or_nothing_in_them() -> None:
    manifest = make_manifest((100, 0, 0), (60, 0, 0), (0, 100, 0), (0, 0, 0), (40, 60, 0))
    found = {f.kind: f.examples for f in check_masks(manifest, CLASSES)}
    assert found == {
        "empty masks": ("i0", "i1"),
        "full masks": ("i2 (car)",),
        "void masks": ("i3",),
        "unused classes": ("dog",),
    }
    assert check_masks(make_manifest((40, 30, 30)), CLASSES) == []


def test_a_manifest_of_other_classes_cannot_be_used() -> None:
    (found,) = check_masks(make_manifest((50, 50)), CLASSES)
    assert (found.kind, found.severity) == ("other classes", Severity.ERROR)


def test_classes_that_a_fold_lacks() -> None:
    manifest = make_manifest((50, 50, 0), (100, 0, 0), (50, 50, 0), (100, 0, 0))
    split = Split(Scheme.GIVEN, 2, 0, {"i0": 0, "i1": 1, "i2": 0, "i3": 1})
    found = {f.kind: f.examples for f in check_folds(manifest, CLASSES, split)}
    assert found == {"unlearned classes": ("car (fold 0)",), "unscored classes": ("car (fold 1)",)}
    fine = Split(Scheme.GIVEN, 2, 0, {"i0": 0, "i1": 1, "i2": 1, "i3": 0})
    assert check_folds(manifest, CLASSES, fine) == []
