from competition.data.checks.alike import Alike, Pair
from competition.data.eda.twins import Twins, find_twins
from tests.data.eda.making import item

A, B, C, D, E = (item(name, 1) for name in "abcde")
T = item("t", test=True)


def test_pairs_that_share_a_picture_are_one_group() -> None:
    alike = Alike((Pair(A, B, True), Pair(D, E, True), Pair(B, C, False)), (Pair(A, T, False),))
    assert find_twins(alike) == (
        Twins(labelled=("a", "b", "c"), test=("t",), exact=False),
        Twins(labelled=("d", "e"), test=(), exact=True),
    )


def test_a_test_picture_may_bear_the_name_of_a_labelled_one() -> None:
    (twins,) = find_twins(Alike((), (Pair(A, item("a", test=True), True),)))
    assert (twins.labelled, twins.test, len(twins)) == (("a",), ("a",), 2)


def test_no_pairs_no_twins() -> None:
    assert find_twins(Alike((), ())) == ()
