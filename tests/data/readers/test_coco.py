import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from competition.data.index import index_data
from competition.data.load import open_loader
from competition.data.readers.coco import CocoReader, read_coco
from competition.data.readers.coco_shapes import inside_of, read_shape, rle_of_shape
from competition.errors import DataError
from tests.data.making import index, make_settings, save

SIZE = (6, 8)
CLASSES = ("background", "a", "b")


def rectangle(left: float, top: float, right: float, bottom: float) -> list[list[float]]:
    return [[left, top, right, top, right, bottom, left, bottom]]


def write(root: Path, objects: list[dict[str, Any]], *, images: tuple[str, ...] = ("x/1.png", "y/1.png")) -> Path:
    """A COCO file in `root`, whose images lie beside it; objects have an image_id, a category_id, a segmentation."""
    for name in images:
        save(np.zeros((*SIZE, 3), np.uint8), root / name)
    raw = {
        "images": [
            {"id": number, "file_name": name, "height": SIZE[0], "width": SIZE[1]} for number, name in enumerate(images)
        ],
        "categories": [{"id": 9, "name": "b"}, {"id": 3, "name": "a"}],
        "annotations": [{"id": number, "iscrowd": 0, **entry} for number, entry in enumerate(objects)],
    }
    path = root / "train.json"
    path.write_text(json.dumps(raw))
    return path


def labels_of(root: Path, objects: list[dict[str, Any]]) -> NDArray[np.uint8]:
    return CocoReader(write(root, objects), root, CLASSES).read_labels("x/1", "0", size=SIZE).pixels


def test_categories_are_classes_in_the_order_of_their_ids(tmp_path: Path) -> None:
    assert read_coco(write(tmp_path, [])).classes == CLASSES
    path = tmp_path / "own.json"
    path.write_text(
        '{"images": [{"id": 0, "file_name": "a.png", "height": 1, "width": 1}], '
        '"categories": [{"id": 0, "name": "metal"}, {"id": 1, "name": "Background"}]}'
    )
    assert read_coco(path).classes == ("Background", "metal")


def test_images_keep_their_folders_and_those_without_objects(tmp_path: Path) -> None:
    write(tmp_path, [{"image_id": 1, "category_id": 9, "segmentation": rectangle(1, 1, 3, 5)}])
    settings_ = make_settings(classes=3, images=".", masks=None, coco="train.json")
    settings_ = settings_.model_copy(update={"classes": CLASSES})
    indexed = index_data(settings_, tmp_path)
    assert [(i.id, i.image, i.mask, i.pixels) for i in indexed.manifest.items] == [
        ("x/1", "x/1.png", "0", (48, 0, 0)),
        ("y/1", "y/1.png", "1", (40, 0, 8)),
    ]
    assert indexed.notes == ("Images without an object in train.json: 1. All their pixels are background.",)
    item = indexed.manifest.item("y/1")
    assert open_loader(settings_, tmp_path).labels(item)[1:5, 1:3].tolist() == [[2, 2]] * 4
    assert open_loader(settings_, tmp_path).image(item).shape == (*SIZE, 3)


def test_folders_that_all_share_are_no_part_of_the_id(tmp_path: Path) -> None:
    path = write(tmp_path, [], images=("data/train/1.png", "data/train/2.png"))
    assert [s.id for s in CocoReader(path, tmp_path, CLASSES).find().sources] == ["1", "2"]


def test_a_list_of_test_images(tmp_path: Path) -> None:
    write(tmp_path, []).rename(tmp_path / "test.json")
    write(tmp_path, [], images=("z/7.png",))
    data = {"images": ".", "masks": None, "coco": "train.json", "test_images": ".", "test_coco": "test.json"}
    manifest = index(make_settings(**data).model_copy(update={"classes": CLASSES}), tmp_path)
    assert [(i.id, i.image) for i in manifest.test] == [("x/1", "x/1.png"), ("y/1", "y/1.png")]


def test_the_smaller_object_lies_on_top_and_of_equal_ones_the_later(tmp_path: Path) -> None:
    large = {"image_id": 0, "category_id": 3, "segmentation": rectangle(0, 0, 8, 6)}
    small = {"image_id": 0, "category_id": 9, "segmentation": rectangle(2, 2, 4, 4)}
    for objects in ([large, small], [small, large]):
        labels = labels_of(tmp_path, objects)
        assert labels[2:4, 2:4].tolist() == [[2, 2], [2, 2]]
        assert (labels == 1).sum() == 44
    assert (labels_of(tmp_path, [large, {**large, "category_id": 9}]) == 2).all()
    assert (labels_of(tmp_path, [{**large, "category_id": 9}, large]) == 1).all()


def test_several_polygons_are_one_object(tmp_path: Path) -> None:
    parts = [*rectangle(0, 0, 1, 1), *rectangle(7, 5, 8, 6)]
    labels = labels_of(tmp_path, [{"image_id": 0, "category_id": 3, "segmentation": parts}])
    assert [labels[0, 0], labels[5, 7], int(labels.sum())] == [1, 1, 2]


def test_crowds_count_like_any_object(tmp_path: Path) -> None:
    # down the columns: 6 pixels of background, then the whole second column
    runs = {"size": list(SIZE), "counts": [6, 6, 36]}
    crowd = {"image_id": 0, "category_id": 9, "iscrowd": 1, "segmentation": runs}
    labels = labels_of(tmp_path, [crowd])
    assert labels.sum(axis=0).tolist() == [0, 12, 0, 0, 0, 0, 0, 0]


def drawn(segmentation: Any, size: tuple[int, int]) -> NDArray[np.bool_]:
    return inside_of(rle_of_shape(read_shape(segmentation, size), size)).reshape(size[::-1]).T


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.integers(0, 1)))
def test_runs_round_trip(mask: NDArray[np.uint8]) -> None:
    size = (mask.shape[0], mask.shape[1])
    packed = coco_mask.encode(np.asfortranarray(mask))
    compressed = {"size": list(size), "counts": packed["counts"].decode()}
    np.testing.assert_array_equal(drawn(compressed, size), mask.astype(bool))
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *edges, flat.size]).tolist()
    plain = {"size": list(size), "counts": [0, *runs] if flat[0] else runs}
    np.testing.assert_array_equal(drawn(plain, size), mask.astype(bool))


@given(st.text(max_size=40))
def test_no_compressed_text_is_read_past_the_image(text: str) -> None:
    with suppress(ValueError):
        assert drawn({"size": [20, 30], "counts": text}, (20, 30)).shape == (20, 30)


@given(st.lists(st.floats(-60, 60), max_size=24), st.integers(1, 30), st.integers(1, 30))
def test_any_polygon_is_drawn_or_refused(numbers: list[float], height: int, width: int) -> None:
    with suppress(ValueError):
        assert drawn([numbers], (height, width)).shape == (height, width)


corner = st.integers(0, 20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.tuples(corner, corner, st.integers(1, 8), st.integers(1, 8), st.sampled_from([3, 9])), max_size=6))
def test_a_file_gives_back_the_rectangles_that_were_written(
    tmp_path: Path, drawn: list[tuple[int, int, int, int, int]]
) -> None:
    size = (28, 28)
    expected = np.zeros(size, np.uint8)
    for left, top, width, height, category in sorted(drawn, key=lambda r: -r[2] * r[3]):
        expected[top : top + height, left : left + width] = {3: 1, 9: 2}[category]
    raw = {
        "images": [{"id": 5, "file_name": "a.png", "height": 28, "width": 28}],
        "categories": [{"id": 9, "name": "b"}, {"id": 3, "name": "a"}],
        "annotations": [
            {"id": n, "image_id": 5, "category_id": c, "segmentation": rectangle(x, y, x + w, y + h)}
            for n, (x, y, w, h, c) in enumerate(drawn)
        ],
    }
    path = tmp_path / f"{abs(hash(tuple(drawn)))}.json"
    path.write_text(json.dumps(raw))
    np.testing.assert_array_equal(CocoReader(path, tmp_path, CLASSES).read_labels("a", "5", size=size).pixels, expected)


def test_a_label_changes_with_its_own_objects_alone(tmp_path: Path) -> None:
    first = {"image_id": 0, "category_id": 3, "segmentation": rectangle(0, 0, 2, 2)}
    one = CocoReader(write(tmp_path, [first]), tmp_path, CLASSES)
    before = [one.read_labels("", mask, size=SIZE).sha256 for mask in "01"]
    two = CocoReader(write(tmp_path, [first, {**first, "image_id": 1}]), tmp_path, CLASSES)
    after = [two.read_labels("", mask, size=SIZE).sha256 for mask in "01"]
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_the_size_must_be_the_images(tmp_path: Path) -> None:
    reader = CocoReader(write(tmp_path, []), tmp_path, CLASSES)
    with pytest.raises(DataError, match=r"1\.png is 7x8, but train\.json says 6x8 \(height x width\)\.$"):
        reader.read_labels("", "0", size=(7, 8))
    with pytest.raises(DataError, match="The annotations ignore its EXIF orientation"):
        reader.read_labels("", "0", size=(8, 6))
    with pytest.raises(DataError, match="no image with the id '7'"):
        reader.read_labels("", "7", size=SIZE)


def test_classes_that_are_given_must_be_the_files(tmp_path: Path) -> None:
    path = write(tmp_path, [])
    assert "'b' is not one of the classes" in CocoReader(path, tmp_path, ("bg", "a")).find().problems[0]
    assert "'a' is a category" in CocoReader(path, tmp_path, ("a", "b")).find().problems[0]
    assert CocoReader(path, tmp_path, ("street", "b", "a")).find().problems == ()
