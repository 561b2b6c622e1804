import json
from pathlib import Path

import numpy as np
import pytest

from competition.data.readers.detect import detect
from competition.errors import DataError
from tests.data.making import save

FOLDERS = {"images": "images", "masks": "masks"}


def masks_of(root: Path, *values: tuple[int, ...], dtype: type[np.integer] = np.uint8) -> None:
    for number, row in enumerate(values):
        save(np.zeros((1, len(row), 3), np.uint8), root / "images" / f"{number}.png")
        save(np.array([row], dtype), root / "masks" / f"{number}.png")


def test_masks_of_0_and_255_are_seen(tmp_path: Path) -> None:
    masks_of(tmp_path, (0, 0), (0, 255))
    found = detect(FOLDERS, tmp_path, classes=None, void=None)
    assert found.data == {**FOLDERS, "binary": True}
    assert found.classes == ("background", "object")
    assert found.notes == ("The masks in masks hold 0 and 255: background and object.",)
    assert detect(FOLDERS, tmp_path, classes=["sky", "salt"], void=None).classes == ("sky", "salt")


def test_so_are_deep_ones_beside_empty_ones(tmp_path: Path) -> None:
    masks_of(tmp_path, *[(0, 0)] * 90)
    masks_of(tmp_path, *[(0, 65535)] * 60, dtype=np.uint16)
    assert detect(FOLDERS, tmp_path, classes=None, void=None).data["binary"]


@pytest.mark.parametrize(
    ("row", "void", "classes"),
    [((0, 1), None, 2), ((0, 0), None, 2), ((0, 1, 255), None, 2), ((0, 255), 255, 2), ((0, 255), None, 3)],
    ids=["indices", "empty", "with a border", "void", "three classes"],
)
def test_other_masks_are_not_taken_for_that(tmp_path: Path, row: tuple[int, ...], void: int, classes: int) -> None:
    masks_of(tmp_path, row)
    assert "binary" not in detect(FOLDERS, tmp_path, classes=["a", "b", "c"][:classes], void=void).data


def test_class_indices_need_names(tmp_path: Path) -> None:
    masks_of(tmp_path, (0, 1))
    with pytest.raises(DataError, match="--classes is missing"):
        detect(FOLDERS, tmp_path, classes=None, void=None)


def test_colours_name_the_classes(tmp_path: Path) -> None:
    data = {**FOLDERS, "colors": {"#000000": "street", "#ffffff": "void", "#ff0000": "car", "#ff0001": "car"}}
    assert detect(data, tmp_path, classes=None, void=None).classes == ("street", "car")


def test_run_lengths_name_their_columns_and_classes(tmp_path: Path) -> None:
    masks_of(tmp_path, (0, 0))
    (tmp_path / "t.csv").write_text("ImageId,ClassId,EncodedPixels\n0.png,3,1 1\n0.png,1,2 1\n")
    found = detect({"images": "images", "rle_csv": "t.csv"}, tmp_path, classes=None, void=None)
    assert found.classes == ("background", "1", "3")
    assert found.data["image_column"] == "ImageId"
    assert found.notes == ("t.csv: images in 'ImageId', run lengths in 'EncodedPixels', classes in 'ClassId'.",)


def test_coco_names_the_classes(tmp_path: Path) -> None:
    image = {"id": 0, "file_name": "a.png", "height": 1, "width": 1}
    raw = {"images": [image], "categories": [{"id": 2, "name": "b"}, {"id": 1, "name": "a"}]}
    (tmp_path / "t.json").write_text(json.dumps(raw))
    found = detect({"images": ".", "coco": "t.json"}, tmp_path, classes=None, void=None)
    assert found.classes == ("background", "a", "b")
    assert found.notes == ("t.json: 1 images, 2 categories of objects.",)


def test_pairs_give_the_groups_unless_others_are_given(tmp_path: Path) -> None:
    masks_of(tmp_path, (0, 255))
    (tmp_path / "p.csv").write_text("image,mask,group\nimages/0.png,masks/0.png,p\n")
    data = {"images": ".", "masks": ".", "pairs": "p.csv"}
    found = detect(data, tmp_path, classes=None, void=None)
    assert found.data == {**data, "meta": "p.csv", "group_column": "group", "binary": True}
    assert "meta" not in detect({**data, "group_regex": "^."}, tmp_path, classes=None, void=None).data
