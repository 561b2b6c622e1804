from hypothesis import given
from hypothesis import strategies as st

from competition.data.checks.alike import Pair
from competition.data.split.keep_together import find_pieces
from tests.data.making import make_manifest

ITEMS = make_manifest(*[(50, 50)] * 6, groups="aab bc").items


def pairs(*numbers: tuple[int, int]) -> list[Pair]:
    return [Pair(ITEMS[i], ITEMS[j], exact=True) for i, j in numbers]


def test_alike_images_and_groups_are_joined_along_chains() -> None:
    assert find_pieces(ITEMS, pairs((0, 3), (3, 5)), keep_groups=False).of == (0, 1, 2, 0, 3, 0)
    assert find_pieces(ITEMS, pairs((1, 3)), keep_groups=True).of == (0, 0, 1, 0, 1, 2)
    assert find_pieces(ITEMS, pairs((1, 4)), keep_groups=True).of == (0, 0, 0, 1, 0, 2)


def test_without_pairs_every_image_is_a_piece() -> None:
    assert find_pieces(ITEMS, [], keep_groups=False).sizes == (1,) * 6


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5))))
def test_no_pair_is_torn_and_nothing_else_is_joined(numbers: list[tuple[int, int]]) -> None:
    piece = find_pieces(ITEMS, pairs(*numbers), keep_groups=False).of
    assert all(piece[i] == piece[j] for i, j in numbers)
    reached = {0}
    for _ in range(6):
        reached |= {k for pair in numbers for k in pair if set(pair) & reached}
    assert {i for i in range(6) if piece[i] == piece[0]} == reached
