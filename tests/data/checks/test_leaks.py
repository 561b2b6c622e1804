import pytest

from competition.data.checks.alike import Pair
from competition.data.checks.finding import Severity
from competition.data.checks.leaks import find_leaks
from competition.data.checks.series import Series
from competition.data.split.folds import Scheme, Split
from tests.data.making import make_manifest


def split(*folds: int) -> Split:
    return Split(Scheme.GIVEN, max(folds) + 1, 0, {f"i{k}": fold for k, fold in enumerate(folds)})


def test_a_group_on_two_sides_leaks() -> None:
    manifest = make_manifest(*[(50, 50)] * 6, groups="aabbcc")
    (leak,) = find_leaks(manifest, split(0, 0, 0, 1, -1, 0), pairs=[], series=[])
    assert (leak.severity, leak.count) == (Severity.LEAK, 2)
    assert leak.examples == ("b (fold 0, fold 1)", "c (train only, fold 0)")
    assert leak.what == "2 of 3 groups stand on two sides of the split."
    assert find_leaks(manifest, split(0, 0, 1, 1, -1, -1), pairs=[], series=[]) == ()


@pytest.mark.parametrize(("folds", "leaks"), [((0, 0), False), ((0, 1), True), ((-1, 0), True)])
def test_alike_pictures_on_two_sides_leak(folds: tuple[int, int], leaks: bool) -> None:
    manifest = make_manifest(*[(50, 50)] * 2)
    pair = Pair(*manifest.items, exact=False)
    found = find_leaks(manifest, split(*folds), pairs=[pair], series=[])
    assert [leak.kind for leak in found] == ["torn duplicates"] * leaks


def test_a_film_on_two_sides_leaks_unless_somebody_said_what_belongs_together() -> None:
    plain, grouped = make_manifest(*[(50, 50)] * 4), make_manifest(*[(50, 50)] * 4, groups="aabb")
    (leak,) = find_leaks(plain, split(0, 0, 1, 1), pairs=[], series=[Series("i", plain.items)])
    assert leak.examples == ("i# (4 images; fold 0, fold 1)",)
    assert find_leaks(plain, split(0, 0, 1, 1), pairs=[], series=[Series("i", plain.items[:2])]) == ()
    assert find_leaks(grouped, split(0, 0, 1, 1), pairs=[], series=[Series("i", grouped.items)]) == ()
