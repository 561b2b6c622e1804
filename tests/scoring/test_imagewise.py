import math

import numpy as np

from competition.scoring.imagewise import image_changes, most_changed


def test_images_without_a_score_are_left_out_and_losses_come_first() -> None:
    found = image_changes("abcd", np.array([0.5, 0.5, math.nan, 0.2]), np.array([0.6, 0.1, 0.3, 0.2]))
    assert [(c.id, round(c.delta, 3)) for c in found] == [("b", -0.4), ("d", 0.0), ("a", 0.1)]


def test_the_largest_changes_either_way_are_chosen() -> None:
    found = image_changes("abcd", np.zeros(4), np.array([0.1, -0.3, 0.0, 0.2]))
    assert [c.id for c in most_changed(found, 2)] == ["b", "d"]
    assert [c.id for c in most_changed(found, 9)] == ["b", "a", "d"]
