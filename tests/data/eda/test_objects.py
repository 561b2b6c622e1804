import numpy as np
import pytest

from competition.config.settings import IGNORE_INDEX
from competition.data.eda.objects import LONGEST_SIDE, find_objects, object_facts


def mask(*rows: str) -> np.ndarray:
    """Digits are classes, dots are void."""
    return np.array([[IGNORE_INDEX if c == "." else int(c) for c in row] for row in rows], np.uint8)


def test_objects_touch_at_corners_and_void_belongs_to_none() -> None:
    found = find_objects(mask("1000", "0100", "0..1", "0..1"))
    ones = found.labels == 1
    assert sorted(found.shares[ones] * 16) == [2, 2]
    assert sorted(found.sides[ones]) == [2, 2]
    assert sorted(found.shares[~ones] * 16) == [8]


def test_facts_leave_specks_out() -> None:
    first = find_objects(mask("1110", "0000", "1000"))
    second = find_objects(mask("0000", "0000", "0000"))
    _, one, two = object_facts([first, second], 3)
    assert (one.objects, one.specks, one.per_image) == (1, 1, 1.0)
    assert one.median_share == pytest.approx(3 / 12)
    assert one.median_side == 3
    assert (two.objects, two.specks, two.per_image, two.median_side, two.median_share) == (0, 0, 0.0, None, None)


def test_objects_are_counted_by_the_image_that_holds_them() -> None:
    three = find_objects(mask("111", "000", "111", "000", "111"))
    one = find_objects(mask("111", "000", "000", "000", "000"))
    assert object_facts([three, one], 2)[1].per_image == 2.0


def test_a_huge_mask_is_measured_smaller_and_said_in_its_own_pixels() -> None:
    side = 4 * LONGEST_SIDE
    labels = np.zeros((side, side), np.uint8)
    labels[: side // 2, : side // 4] = 1
    found = find_objects(labels)
    one = found.labels == 1
    assert found.sides[one].tolist() == [side // 2]
    assert found.shares[one].tolist() == [1 / 8]


def test_nothing_but_void_has_no_objects() -> None:
    found = find_objects(mask("..", ".."))
    assert len(found.labels) == len(found.shares) == len(found.sides) == 0
