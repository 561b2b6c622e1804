from dataclasses import replace

from competition.data.checks.alike import Alike, Pair
from competition.data.checks.finding import Severity
from competition.data.checks.pictures import check_constant, check_duplicates, check_series, check_sizes
from competition.data.checks.series import Series
from competition.data.manifest import Manifest
from tests.data.checks.making import look, looks_of
from tests.data.making import item, make_manifest, unlabelled_item


def test_duplicates_are_sorted_by_kind() -> None:
    a, b, c, t = item("a"), item("b", mask_sha256="m-a"), item("c"), unlabelled_item("t")
    alike = Alike((Pair(a, b, True), Pair(a, c, True), Pair(b, c, False)), (Pair(c, t, False),))
    found = {f.kind: (f.severity, f.count, f.examples) for f in check_duplicates(alike)}
    assert found == {
        "duplicates": (Severity.WARNING, 2, ("a = b", "a = c")),
        "contradicting masks": (Severity.WARNING, 1, ("a = c",)),
        "near-duplicates": (Severity.NOTE, 1, ("b ~ c",)),
        "test duplicates": (Severity.WARNING, 1, ("c ~ t",)),
    }
    assert check_duplicates(Alike((), ())) == []


def test_constant_pictures_are_named_test_ones_as_such() -> None:
    manifest = Manifest((item("a"), item("b"), item("c")), (unlabelled_item("t"),))
    black = look(0, constant=True, flat=True)
    (found,) = check_constant(manifest, looks_of(manifest, [black, look(0, flat=True), None, black]))
    assert (found.count, found.examples) == (2, ("a", "t (test)"))


def test_sizes_orientations_and_test_sizes() -> None:
    wide, tall = replace(item("w"), width=20), replace(item("t"), height=20)
    test = replace(unlabelled_item("x"), height=99)
    found = {f.kind: f for f in check_sizes(Manifest((item("a"), item("b"), wide, tall), (test,)))}
    assert found["image sizes"].examples == ("10x10: 2", "20x10: 1", "10x20: 1")
    assert found["orientations"].examples == ("20x10 and 10x20",)
    assert found["test sizes"].examples == ("x (test) 99x10",)
    assert check_sizes(make_manifest(*[(50, 50)] * 3)) == []


def test_films_are_told_only_where_there_are_no_groups() -> None:
    items = tuple(item(f"f{k}") for k in range(3))
    (found,) = check_series(Manifest(items), [Series("f", items)])
    assert found.examples == ("f# (3 images)",)
    assert "group_regex" in found.mend
    assert check_series(Manifest((*items, item("g", group="x"))), [Series("f", items)]) == []
