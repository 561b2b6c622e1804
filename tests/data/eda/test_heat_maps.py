import numpy as np
import pytest

from competition.config.settings import IGNORE_INDEX
from competition.data.eda.heat_maps import GRID, heat_maps, similarity, to_grid


def halves(upper: int, lower: int) -> np.ndarray:
    labels = np.full((20, 30), upper, np.uint8)
    labels[10:] = lower
    return labels


def test_maps_say_how_often() -> None:
    maps = heat_maps([to_grid(halves(0, 1)), to_grid(halves(0, 0))], 2)
    assert maps.shape == (2, GRID, GRID)
    assert (maps[0, : GRID // 2] == 1).all()
    assert (maps[1, GRID // 2 :] == 0.5).all()


def test_void_is_not_counted() -> None:
    maps = heat_maps([to_grid(halves(IGNORE_INDEX, 1)), to_grid(halves(IGNORE_INDEX, 0))], 2)
    assert np.isnan(maps[:, : GRID // 2]).all()
    assert (maps[:, GRID // 2 :] == 0.5).all()


def test_similarity_knows_up_from_down() -> None:
    maps = heat_maps([to_grid(halves(0, 1))], 2)
    assert similarity(maps, flipped=maps[:, :, ::-1]) == 1
    assert similarity(maps, flipped=maps[:, ::-1]) == 0
    mixed = heat_maps([to_grid(halves(0, 1)), to_grid(halves(0, 0))], 2)
    assert similarity(mixed, flipped=mixed[:, ::-1]) == pytest.approx((0.5 + 0.5 + 0 + 0) / (1 + 1 + 0.5 + 0.5))
