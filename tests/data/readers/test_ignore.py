from pathlib import Path

import numpy as np
import pytest

from competition.data.load import open_loader
from competition.errors import DataError
from tests.data.making import index, make_data, make_settings, save

SETTINGS = make_settings(ignore="fov", ignore_pattern="{stem}_fov")


def test_nothing_counts_where_the_picture_is_black(tmp_path: Path) -> None:
    make_data(tmp_path, ("a", "b"), size=(2, 3))
    save(np.array([[0, 0, 255], [255, 255, 255]], np.uint8), tmp_path / "fov" / "a_fov.gif")
    save(np.array([[True, True, True], [True, True, False]]), tmp_path / "fov" / "b_fov.png")
    manifest = index(SETTINGS, tmp_path)
    assert open_loader(SETTINGS, tmp_path).labels(manifest.item("a")).tolist() == [[255, 255, 0], [0, 0, 0]]
    assert open_loader(SETTINGS, tmp_path).labels(manifest.item("b")).tolist() == [[0, 1, 1], [1, 1, 255]]
    assert [(i.pixels, i.void) for i in manifest.items] == [((4, 0, 0), 2), ((1, 4, 0), 1)]
    without = index(make_settings(), tmp_path)
    assert without.item("a").mask_sha256 != manifest.item("a").mask_sha256


def test_a_mask_that_changed_is_noticed(tmp_path: Path) -> None:
    make_data(tmp_path, ("a",), size=(2, 3))
    save(np.zeros((2, 3), np.uint8), tmp_path / "fov" / "a_fov.png")
    item = index(SETTINGS, tmp_path).item("a")
    save(np.ones((2, 3), np.uint8), tmp_path / "fov" / "a_fov.png")
    with pytest.raises(DataError, match="has changed"):
        open_loader(SETTINGS, tmp_path).labels(item)
    (tmp_path / "fov" / "a_fov.png").unlink()
    with pytest.raises(DataError, match="no ignore mask"):
        open_loader(SETTINGS, tmp_path).labels(item)


def test_every_image_needs_a_mask_of_its_size(tmp_path: Path) -> None:
    make_data(tmp_path, ("a", "b"), size=(2, 3))
    save(np.zeros((3, 2), np.uint8), tmp_path / "fov" / "a_fov.png")
    with pytest.raises(DataError) as caught:
        index(SETTINGS, tmp_path)
    assert "a_fov.png is 3x2, but its image is 2x3 (height x width)" in caught.value.message
    assert "The image b.png has no ignore mask (expected: b_fov with the suffix of an image)." in caught.value.message
