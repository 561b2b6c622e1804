import json
from pathlib import Path

import numpy as np
import pytest

from competition.config.experiment import Config
from competition.config.settings import DataSettings, Settings
from competition.data.eda.summary import summarise
from competition.data.eda.survey import Survey, survey
from competition.data.manifest import Manifest
from competition.errors import DataError
from tests.conftest import draw_images
from tests.data.making import index

SETTINGS = Settings(
    name="shapes",
    classes=("background", "square", "disc"),
    data=DataSettings(images="images", masks="masks", test_images="test_images", group_regex="^(g[0-9]+)_"),
)


def look(root: Path, *, most: int = 100, **drawing: int) -> Survey:
    draw_images(root, **drawing)
    manifest = index(SETTINGS, root)
    return survey(manifest, SETTINGS, root, config=Config(), hash_file=root / "looks.csv", most=most)


def test_everything_is_looked_at(tmp_path: Path) -> None:
    found = look(tmp_path, images=12, test_images=3)
    assert not found.is_sampled
    assert [c.name for c in found.classes] == ["background", "square", "disc"]
    assert found.classes[2].images == 12
    assert found.objects[2].objects == 12
    assert found.objects[2].median_side == pytest.approx(9, abs=1)
    assert (found.maps.sum(axis=0) == pytest.approx(1)) is True
    assert found.sizes.tolist() == [[32, 32]] * 12
    assert found.features.shape == (12, 8)
    assert found.test_features.shape == (3, 8)
    assert found.drift is None
    assert len(found.examples.typical) == 6


def test_a_sample_spreads_over_the_groups_and_says_so(tmp_path: Path) -> None:
    found = look(tmp_path, images=12, test_images=3, most=4)
    assert found.is_sampled
    assert {item.group for item in found.sample} == {"g0", "g1", "g2", "g3"}
    assert len(found.test_features) == 3
    assert len(found.sizes) == 12


def test_the_summary_is_json(tmp_path: Path) -> None:
    plain = summarise(look(tmp_path, images=6, test_images=1))
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["sizes"] == [{"height": 32, "width": 32, "images": 6}]
    assert sum(c["pixel_share"] for c in plain["classes"]) == pytest.approx(1, abs=1e-5)
    assert plain["drift"] is None


def test_a_class_that_never_occurs_is_null(tmp_path: Path) -> None:
    draw_images(tmp_path, images=4, test_images=0)
    settings = SETTINGS.model_copy(update={"classes": (*SETTINGS.classes, "never"), "data": SETTINGS.data})
    settings = settings.model_copy(update={"data": SETTINGS.data.model_copy(update={"test_images": None})})
    manifest = index(settings, tmp_path)
    found = survey(manifest, settings, tmp_path, config=Config(), hash_file=tmp_path / "looks.csv", most=9)
    plain = summarise(found)
    assert plain["co_occurrence"][3] == [None] * 4
    assert plain["classes"][3]["median_object_side_px"] is None
    assert np.nanmax(found.maps[3]) == 0


def test_no_images_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no labelled images"):
        survey(Manifest(()), SETTINGS, tmp_path, config=Config(), hash_file=tmp_path / "looks.csv", most=9)
