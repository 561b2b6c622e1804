import re
from pathlib import Path

import numpy as np

from competition.config.settings import Settings
from competition.data.images import read_image, read_mask
from competition.data.manifest import Manifest
from competition.demo import CLASSES, make_street_litter
from tests.data.making import index


def indexed(folder: Path, **groups: str) -> Manifest:
    data = {"images": "images", "masks": "masks", "test_images": "test_images", **groups}
    classes = tuple((folder / "classes.txt").read_text().splitlines())
    return index(Settings.model_validate({"name": "litter", "classes": classes, "data": data}), folder)


def test_it_is_a_data_set_that_comp_takes(tmp_path: Path) -> None:
    make_street_litter(tmp_path, images=40, test_images=9, size=(64, 96))
    manifest = indexed(tmp_path, group_regex="^(scene[0-9]+)_")
    assert manifest == indexed(tmp_path, meta="meta.csv", group_column="group")
    assert len(manifest.items) == 40
    assert len(manifest.test) == 9
    assert {(i.height, i.width) for i in (*manifest.items, *manifest.test)} == {(64, 96)}
    groups = {i.group for i in manifest.items}
    assert len(groups) == 5
    assert not groups & {re.sub("_.*", "", i.id) for i in manifest.test}


def test_every_class_is_common_and_none_covers_the_ground(tmp_path: Path) -> None:
    make_street_litter(tmp_path, images=64, test_images=0)
    manifest = index(
        Settings.model_validate({"name": "l", "classes": CLASSES, "data": {"images": "images", "masks": "masks"}}),
        tmp_path,
    )
    share = np.array([i.pixels for i in manifest.items]).sum(axis=0) / (64 * 96 * 96)
    assert CLASSES == ("background", "bottle", "can", "cup", "bag", "carton")
    assert 0.6 < share[0] < 0.85
    assert (share[1:] > 0.02).all(), "a class with fewer pixels is not learned in a minute"
    assert share[1:].max() < 4 * share.min()


def test_the_seed_decides_every_pixel(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("same", 3), ("other", 4)):
        make_street_litter(tmp_path / name, images=3, test_images=1, seed=seed)
    for part in ("images", "masks"):
        one, same, other = (tmp_path / n / part / "scene01_02.png" for n in ("one", "same", "other"))
        assert one.read_bytes() == same.read_bytes()
        assert one.read_bytes() != other.read_bytes()


def test_images_of_a_scene_share_their_light(tmp_path: Path) -> None:
    make_street_litter(tmp_path, images=48, test_images=0)
    ground = [
        np.median(read_image(path)[read_mask(tmp_path / "masks" / path.name) == 0], axis=0)
        for path in sorted((tmp_path / "images").iterdir())
    ]
    scenes = np.array(ground).reshape(6, 8, 3)
    assert scenes.std(axis=1).mean() < 0.5 * scenes.mean(axis=1).std(axis=0).mean()
