from pathlib import Path

import numpy as np
import pytest

from competition.data.load import open_loader
from competition.errors import DataError
from tests.data.making import index, make_data, make_settings, save


def test_images_and_labels_come_at_their_own_size(tmp_path: Path) -> None:
    make_data(tmp_path)
    save(np.full((5, 7), 9, np.uint8), tmp_path / "test" / "a1.png")
    settings = make_settings(classes=2, void=2, test_images="test")
    manifest = index(settings, tmp_path)
    labels = open_loader(settings, tmp_path).labels(manifest.item("b1"))
    assert labels.dtype == np.uint8
    assert labels[0, 0] == 0
    assert (labels.ravel()[1:] == 255).all()
    assert (open_loader(settings, tmp_path).image(manifest.item("b1")) == 20).all()
    assert open_loader(settings, tmp_path).image(manifest.test[0]).shape == (5, 7, 3)


def test_files_that_changed_are_refused(tmp_path: Path) -> None:
    make_data(tmp_path)
    settings = make_settings()
    item = index(settings, tmp_path).item("b1")
    save(np.zeros((6, 4), np.uint8), tmp_path / "masks" / "b1.png")
    with pytest.raises(DataError, match=r"b1\.png has changed since it was indexed"):
        open_loader(settings, tmp_path).labels(item)
    save(np.zeros((4, 6, 3), np.uint8), tmp_path / "images" / "b1.png")
    with pytest.raises(DataError, match=r"images/b1\.png has changed"):
        open_loader(settings, tmp_path).image(item)
