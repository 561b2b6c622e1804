from competition.data.checks.alike import find_alike
from competition.data.checks.hashes import NEAR
from competition.data.manifest import Manifest
from tests.data.checks.making import look, looks_of
from tests.data.making import item, make_manifest, unlabelled_item


def test_near_pictures_are_pairs_and_further_ones_are_not() -> None:
    manifest = make_manifest(*[(50, 50)] * 3)
    found = find_alike(manifest, looks_of(manifest, [look(0), look(NEAR), look(2 * NEAR + 1)]))
    assert [str(pair) for pair in found.labelled] == ["i0 ~ i1"]
    assert not found.with_test


def test_the_same_file_is_an_exact_pair_even_if_it_tells_nothing() -> None:
    items = tuple(item(name, image_sha256=sha) for name, sha in (("a", "1"), ("b", "1"), ("c", "2"), ("d", "2")))
    manifest = Manifest(items)
    known = looks_of(Manifest(items[::2]), [look(0), look(0, flat=True)])
    assert [str(pair) for pair in find_alike(manifest, known).labelled] == ["a = b", "c = d"]
    assert all(pair.exact for pair in find_alike(manifest, known).labelled)
    unknown = looks_of(manifest, [None] * 4)
    assert [str(pair) for pair in find_alike(manifest, unknown).labelled] == ["a = b", "c = d"]


def test_constant_pictures_are_no_pairs() -> None:
    items = tuple(item(name, image_sha256="black") for name in "abc")
    manifest = Manifest(items)
    black = look(0, constant=True, flat=True)
    assert not find_alike(manifest, looks_of(manifest, [black] * 3)).labelled


def test_pairs_with_test_pictures_stand_apart_and_pairs_of_test_pictures_are_passed_over() -> None:
    manifest = Manifest((item("a"), item("b")), (unlabelled_item("t"), unlabelled_item("u")))
    found = find_alike(manifest, looks_of(manifest, [look(200), look(0), look(3), look(5)]))
    assert not found.labelled
    assert [str(pair) for pair in found.with_test] == ["b ~ t", "b ~ u"]
