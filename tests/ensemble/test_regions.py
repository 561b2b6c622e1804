import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as some
from scipy import ndimage

from competition.ensemble.regions import Regions, find_regions

LABELS = some.arrays(np.uint8, some.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 2))


@given(LABELS)
def test_regions_are_those_that_scipy_finds(labels: np.ndarray) -> None:
    number, regions = find_regions(labels, 3)
    reference = np.zeros(labels.shape, np.int64)
    found = 0
    for label in range(3):
        pieces, pieces_found = ndimage.label(labels == label, structure=np.ones((3, 3)))
        reference[pieces > 0] = pieces[pieces > 0] + found
        found += pieces_found
    assert len(set(zip(number.ravel().tolist(), reference.ravel().tolist(), strict=True))) == found
    assert len(regions.label) == found
    assert np.array_equal(regions.label[number], labels)
    assert regions.size.tolist() == np.bincount(number.ravel()).tolist()
    first = [int((number == n).argmax()) for n in range(found)]
    assert first == sorted(first)


def test_what_lies_around_a_region_by_hand() -> None:
    labels = np.array(
        [
            [0, 0, 0, 0, 0],
            [0, 1, 1, 1, 2],
            [0, 1, 0, 1, 2],
            [0, 1, 1, 1, 2],
            [0, 0, 0, 2, 0],
        ],
        np.uint8,
    )
    number, regions = find_regions(labels, 3)
    # In reading order: background, the ring, class 2 on the right, the hole, the corner that class 2 cuts off.
    assert number[[0, 1, 1, 2, 4], [0, 1, 4, 2, 4]].tolist() == [0, 1, 2, 3, 4]
    assert regions.label.tolist() == [0, 1, 2, 0, 0]
    assert regions.size.tolist() == [11, 8, 4, 1, 1]
    assert regions.is_largest.tolist() == [True, True, True, False, False]
    assert regions.is_hole.tolist() == [False, False, False, True, False]
    # The ring shares 3 + 3 + 2 + 4 sides with background and 4 with class 2, which shares 4 with each: the lower wins.
    assert regions.around.tolist() == [1, 0, 0, 1, 2]


def test_one_class_alone_is_around_itself() -> None:
    _, regions = find_regions(np.full((3, 4), 2, np.uint8), 3)
    assert (regions.around.tolist(), regions.is_hole.tolist()) == ([2], [False])


def test_joined() -> None:
    parts = [find_regions(np.full((1, n), n, np.uint8), 3)[1] for n in (1, 2)]
    joined = Regions.joined(parts)
    assert (joined.label.tolist(), joined.size.tolist()) == ([1, 2], [1, 2])
