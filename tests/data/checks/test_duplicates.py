from hypothesis import given
from hypothesis import strategies as st

from competition.data.checks.duplicates import (
    DuplicateGroup,
    ImagePair,
    NearDuplicates,
    connected,
    find_duplicates,
    group_duplicates,
)
from competition.data.checks.image_hashes import NEAR
from competition.data.manifest import Manifest
from tests.data.checks.making import hashes_of, image_hash
from tests.data.making import item, make_manifest, unlabelled_item


def test_near_images_are_pairs_and_others_are_not() -> None:
    manifest = make_manifest(*[(50, 50)] * 3)
    found = find_duplicates(manifest, hashes_of(manifest, [image_hash(0), image_hash(NEAR), image_hash(2 * NEAR + 1)]))
    assert [str(pair) for pair in found.labelled] == ["i0 ~ i1"]
    assert not found.with_test


def test_the_same_file_is_an_exact_pair_even_without_a_useful_hash() -> None:
    items = tuple(item(name, image_sha256=sha) for name, sha in (("a", "1"), ("b", "1"), ("c", "2"), ("d", "2")))
    manifest = Manifest(items)
    known = hashes_of(Manifest(items[::2]), [image_hash(0), image_hash(0, flat=True)])
    assert [str(pair) for pair in find_duplicates(manifest, known).labelled] == ["a = b", "c = d"]
    assert all(pair.exact for pair in find_duplicates(manifest, known).labelled)
    unknown = hashes_of(manifest, [None] * 4)
    assert [str(pair) for pair in find_duplicates(manifest, unknown).labelled] == ["a = b", "c = d"]


def test_constant_images_are_no_pairs() -> None:
    items = tuple(item(name, image_sha256="black") for name in "abc")
    manifest = Manifest(items)
    black = image_hash(0, constant=True, flat=True)
    assert not find_duplicates(manifest, hashes_of(manifest, [black] * 3)).labelled


def test_pairs_with_test_images_are_apart_and_pairs_of_test_images_are_left_out() -> None:
    manifest = Manifest((item("a"), item("b")), (unlabelled_item("t"), unlabelled_item("u")))
    found = find_duplicates(
        manifest, hashes_of(manifest, [image_hash(200), image_hash(0), image_hash(3), image_hash(5)])
    )
    assert not found.labelled
    assert [str(pair) for pair in found.with_test] == ["b ~ t", "b ~ u"]


A, B, C, D, E = (item(name) for name in "abcde")
T = unlabelled_item("t")


def test_pairs_that_share_an_image_are_one_group() -> None:
    pairs = (ImagePair(A, B, True), ImagePair(D, E, True), ImagePair(B, C, False))
    assert group_duplicates(NearDuplicates(pairs, (ImagePair(A, T, False),))) == (
        DuplicateGroup(labelled=("a", "b", "c"), test=("t",), exact=False),
        DuplicateGroup(labelled=("d", "e"), test=(), exact=True),
    )


def test_a_test_image_may_have_the_id_of_a_labelled_one() -> None:
    (group,) = group_duplicates(NearDuplicates((), (ImagePair(A, unlabelled_item("a"), True),)))
    assert (group.labelled, group.test, len(group)) == (("a",), ("a",), 2)


def test_without_pairs_there_are_no_groups() -> None:
    assert group_duplicates(NearDuplicates((), ())) == ()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5))))
def test_components_join_what_edges_reach_and_nothing_else(edges: list[tuple[int, int]]) -> None:
    component = connected(6, edges)
    for start in range(6):
        reached = {start}
        for _ in range(6):
            reached |= {node for edge in edges for node in edge if set(edge) & reached}
        assert {node for node in range(6) if component[node] == component[start]} == reached
    first = [component.index(number) for number in range(max(component) + 1)]
    assert first == sorted(first)
