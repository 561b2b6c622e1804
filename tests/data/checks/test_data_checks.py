from dataclasses import replace
from pathlib import Path

import numpy as np

from competition.data.checks.data_checks import (
    check_changes,
    check_constant,
    check_duplicates,
    check_masks,
    check_series,
    check_sizes,
)
from competition.data.checks.duplicates import ImagePair, NearDuplicates
from competition.data.checks.findings import Severity
from competition.data.checks.series import Series
from competition.data.manifest import Manifest
from tests.data.checks.making import hashes_of, image_hash
from tests.data.making import index, item, make_data, make_manifest, make_settings, save, unlabelled_item

CLASSES = ("sky", "car", "dog")


def test_masks_with_one_class_or_none() -> None:
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


def test_duplicates_are_sorted_by_kind() -> None:
    a, b, c, t = item("a"), item("b", mask_sha256="m-a"), item("c"), unlabelled_item("t")
    duplicates = NearDuplicates(
        (ImagePair(a, b, True), ImagePair(a, c, True), ImagePair(b, c, False)), (ImagePair(c, t, False),)
    )
    found = {f.kind: (f.severity, f.count, f.examples) for f in check_duplicates(duplicates)}
    assert found == {
        "duplicates": (Severity.WARNING, 2, ("a = b", "a = c")),
        "contradicting masks": (Severity.WARNING, 1, ("a = c",)),
        "near-duplicates": (Severity.NOTE, 1, ("b ~ c",)),
        "test duplicates": (Severity.WARNING, 1, ("c ~ t",)),
    }
    assert check_duplicates(NearDuplicates((), ())) == []


def test_constant_images_are_named_and_test_images_marked() -> None:
    manifest = Manifest((item("a"), item("b"), item("c")), (unlabelled_item("t"),))
    black = image_hash(0, constant=True, flat=True)
    (found,) = check_constant(manifest, hashes_of(manifest, [black, image_hash(0, flat=True), None, black]))
    assert (found.count, found.examples) == (2, ("a", "t (test)"))


def test_sizes_orientations_and_test_sizes() -> None:
    wide, tall = replace(item("w"), width=20), replace(item("t"), height=20)
    test = replace(unlabelled_item("x"), height=99)
    found = {f.kind: f for f in check_sizes(Manifest((item("a"), item("b"), wide, tall), (test,)))}
    assert found["image sizes"].examples == ("10x10: 2", "20x10: 1", "10x20: 1")
    assert found["orientations"].examples == ("20x10 and 10x20",)
    assert found["test sizes"].examples == ("x (test) 99x10",)
    assert check_sizes(make_manifest(*[(50, 50)] * 3)) == []


def test_videos_are_reported_only_without_groups() -> None:
    items = tuple(item(f"f{k}") for k in range(3))
    (found,) = check_series(Manifest(items), [Series("f", items)])
    assert found.examples == ("f# (3 images)",)
    assert "group_regex" in found.fix
    assert check_series(Manifest((*items, item("g", group="x"))), [Series("f", items)]) == []


def test_changed_and_missing_files_are_named(tmp_path: Path) -> None:
    make_data(tmp_path, ("a", "b", "c", "d"))
    save(np.full((5, 7), 9, np.uint8), tmp_path / "test" / "t.png")
    settings = make_settings(test_images="test")
    manifest = index(settings, tmp_path)
    assert check_changes(manifest, settings, tmp_path) == []
    save(np.full((4, 6, 3), 99, np.uint8), tmp_path / "images" / "a.png")
    save(np.zeros((4, 6), np.uint8), tmp_path / "masks" / "b.png")
    (tmp_path / "test" / "t.png").unlink()
    (found,) = check_changes(manifest, settings, tmp_path)
    assert (found.severity, found.count) == (Severity.ERROR, 3)
    assert all(name in example for name, example in zip(("a.png", "b.png", "t.png"), found.examples, strict=True))
