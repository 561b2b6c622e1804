import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from competition.errors import DataError, RefusedError
from competition.submission.formats import Format, held, read_back, write
from competition.submission.layout import Layout, Prediction, in_order
from competition.submission.sample import Sample, read_sample

SMALL = np.array([[0, 1, 1], [2, 0, 1]], np.uint8)
EMPTY = np.zeros((3, 2), np.uint8)
PREDICTIONS: list[Prediction] = [("t1", "t1.jpg", SMALL), ("사진 2", "사진 2.png", EMPTY)]
IMAGES = {image_id: name for image_id, name, _ in PREDICTIONS}
LAYOUT = Layout(
    ("background", "paper", "glass"),
    images=IMAGES,
    colours={"background": (0, 0, 0), "paper": (255, 0, 0), "glass": (0, 128, 255)},
)
BINARY = Layout(("background", "nucleus"), images=IMAGES)


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def like(folder: Path, layout: Layout, text: str) -> Layout:
    """The layout with a sample submission."""
    path = folder / "sample.csv"
    path.write_text(text, encoding="utf-8")
    return Layout(layout.classes, images=layout.images, size=layout.size, sample=read_sample(path))


def test_png_holds_class_indices(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "submission"
    assert write(Format.PNG, PREDICTIONS, target, LAYOUT) == 2
    assert sorted(p.name for p in target.iterdir()) == ["t1.png", "사진 2.png"]
    with Image.open(target / "t1.png") as image:
        assert image.mode == "L"
        assert np.array_equal(np.asarray(image), SMALL)


def test_an_id_may_hold_a_folder(tmp_path: Path) -> None:
    write(Format.PNG, [("batch_1/7", "batch_1/7.jpg", SMALL)], tmp_path / "out", LAYOUT)
    assert (tmp_path / "out" / "batch_1" / "7.png").is_file()
    write(Format.PNG, [("batch_1/8", "batch_1/8.jpg", SMALL)], tmp_path / "out", LAYOUT)
    assert [p.name for p in tmp_path.rglob("*.png")] == ["8.png"]


def test_png_replaces_a_folder_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "out" / "submission"
    write(Format.PNG, [("stale", "stale.png", EMPTY)], target, LAYOUT)
    write(Format.PNG, PREDICTIONS[:1], target, LAYOUT)
    assert [p.name for p in target.iterdir()] == ["t1.png"]
    assert [p.name for p in target.parent.iterdir()] == ["submission"]


def test_color_png_holds_the_colours_of_the_masks(tmp_path: Path) -> None:
    write(Format.COLOR_PNG, PREDICTIONS, tmp_path / "out", LAYOUT)
    with Image.open(tmp_path / "out" / "t1.png") as image:
        assert image.mode == "RGB"
        assert np.asarray(image)[1].tolist() == [[0, 128, 255], [0, 0, 0], [255, 0, 0]]


def test_color_png_needs_a_colour_for_every_class(tmp_path: Path) -> None:
    layout = Layout(LAYOUT.classes, colours={"background": (0, 0, 0), "paper": (1, 1, 1)})
    with pytest.raises(RefusedError, match="'glass' has no colour"):
        write(Format.COLOR_PNG, PREDICTIONS, tmp_path / "out", layout)
    assert not (tmp_path / "out").exists()


def test_rle_of_several_classes(tmp_path: Path) -> None:
    target = tmp_path / "submission.csv"
    assert write(Format.RLE_CSV, PREDICTIONS, target, LAYOUT) == 2
    assert rows(target) == [
        ["ImageId", "ClassId", "EncodedPixels"],
        ["t1", "1", "3 1 5 2"],
        ["t1", "2", "2 1"],
        ["사진 2", "1", ""],
        ["사진 2", "2", ""],
    ]


def test_rle_of_two_classes(tmp_path: Path) -> None:
    target = tmp_path / "submission.csv"
    write(Format.RLE_CSV, [("t1", "t1.jpg", (SMALL == 1).astype(np.uint8)), PREDICTIONS[1]], target, BINARY)
    assert target.read_text(encoding="utf-8") == "ImageId,EncodedPixels\nt1,3 1 5 2\n사진 2,\n"


def test_rle_keeps_the_columns_names_and_order_of_a_sample(tmp_path: Path) -> None:
    text = "part,segmentation,class,id\nx,1 1,glass,사진 2.png\ny,1 1,paper,t1\nx,1 1,paper,사진 2.png\ny,,2,t1\n"
    layout = like(tmp_path, LAYOUT, text)
    target = tmp_path / "submission.csv"
    assert write(Format.RLE_CSV, PREDICTIONS, target, layout) == 2
    assert rows(target) == [
        ["part", "segmentation", "class", "id"],
        ["x", "", "glass", "사진 2.png"],
        ["y", "3 1 5 2", "paper", "t1"],
        ["x", "", "paper", "사진 2.png"],
        ["y", "2 1", "2", "t1"],
    ]


def test_several_classes_need_a_column_that_tells_them_apart(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="has no column for the class, and there are 2 classes of objects"):
        write(Format.RLE_CSV, PREDICTIONS, tmp_path / "s.csv", like(tmp_path, LAYOUT, "id,rle\nt1,\n사진 2,\n"))
    assert not (tmp_path / "s.csv").exists()


def test_labels_are_256x256_and_named_by_file(tmp_path: Path) -> None:
    target = tmp_path / "submission.csv"
    large = np.kron(np.array([[0, 1], [2, 0]], np.uint8), np.ones((200, 300), np.uint8))
    write(Format.LABELS_CSV, [("t1", "t1.jpg", large)], target, LAYOUT)
    header, (name, text) = rows(target)
    assert header == ["image_id", "PredictionString"]
    assert name == "t1.jpg"
    labels = np.array([int(word) for word in text.split(" ")]).reshape(256, 256)
    assert np.array_equal(labels, np.kron([[0, 1], [2, 0]], np.ones((128, 128), int)))


def test_labels_at_another_size_in_the_order_of_a_sample(tmp_path: Path) -> None:
    layout = like(
        tmp_path, Layout(LAYOUT.classes, images=IMAGES, size=(1, 3)), "image,answer\n사진 2.png,0\nt1.jpg,0\n"
    )
    target = tmp_path / "submission.csv"
    assert write(Format.LABELS_CSV, PREDICTIONS, target, layout) == 2
    assert rows(target) == [["image", "answer"], ["사진 2.png", "0 0 0"], ["t1.jpg", "2 0 1"]]


def test_label_maps_are_one_row_an_image(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="has a row per class"):
        write(Format.LABELS_CSV, PREDICTIONS, tmp_path / "s.csv", like(tmp_path, LAYOUT, "id,class,rle\nt1,1,\n"))


def test_coco_results_by_hand(tmp_path: Path) -> None:
    layout = Layout(
        LAYOUT.classes,
        images=IMAGES,
        image_numbers={"t1.jpg": 41, "사진 2.png": 42},
        category_numbers={"paper": 7, "glass": 9},
    )
    assert write(Format.COCO_JSON, PREDICTIONS, tmp_path / "s.json", layout) == 2
    first, second = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    assert (first["image_id"], first["category_id"], first["score"]) == (41, 7, 1.0)
    assert first["segmentation"]["size"] == [2, 3]
    assert (second["image_id"], second["category_id"]) == (41, 9)


@pytest.mark.parametrize(("ids", "key"), [(["3", "12"], 3), (["3", "b"], "3"), (["3", "012"], "3")])
def test_coco_ids_without_a_file_are_ours(tmp_path: Path, ids: list[str], key: object) -> None:
    layout = Layout(LAYOUT.classes, images={i: f"{i}.png" for i in ids})
    write(Format.COCO_JSON, [("3", "3.png", SMALL)], tmp_path / "s.json", layout)
    assert json.loads((tmp_path / "s.json").read_text())[0]["image_id"] == key


def test_coco_results_of_nothing_are_an_empty_list(tmp_path: Path) -> None:
    write(Format.COCO_JSON, [("t1", "t1.jpg", EMPTY)], tmp_path / "s.json", LAYOUT)
    assert json.loads((tmp_path / "s.json").read_text()) == []


@pytest.mark.parametrize("form", list(Format))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(labels=npst.arrays(np.uint8, npst.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 2)))
def test_what_is_written_is_read_back(tmp_path: Path, form: Format, labels: np.ndarray) -> None:
    target = tmp_path / f"submission{form.suffix}"
    write(form, [("t1", "t1.jpg", labels)], target, LAYOUT)
    name = "t1.jpg" if form is Format.LABELS_CSV else "t1"
    found = read_back(form, target, LAYOUT, {name: labels.shape})
    assert list(found) == [name]
    assert np.array_equal(found[name], held(form, labels, LAYOUT))


def test_never_replaces_a_persons_folder_or_file(tmp_path: Path) -> None:
    holiday = tmp_path / "mine" / "deep" / "holiday.jpg"
    holiday.parent.mkdir(parents=True)
    holiday.write_text("beach")
    for form, target, why in [
        (Format.PNG, tmp_path / "mine", "holds more than label maps"),
        (Format.COLOR_PNG, tmp_path / "mine", "holds more than label maps"),
        (Format.PNG, holiday, "is a file"),
        (Format.RLE_CSV, holiday.parent, "is a folder"),
        (Format.LABELS_CSV, holiday.parent, "is a folder"),
        (Format.COCO_JSON, holiday.parent, "is a folder"),
    ]:
        with pytest.raises(RefusedError, match=why):
            write(form, PREDICTIONS, target, LAYOUT)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["holiday.jpg"]
    assert holiday.read_text() == "beach"


def failing() -> Iterator[Prediction]:
    yield PREDICTIONS[0]
    raise KeyboardInterrupt


@pytest.mark.parametrize("form", list(Format))
def test_a_failure_leaves_what_was_there(tmp_path: Path, form: Format) -> None:
    target = tmp_path / "out" / "submission"
    write(form, PREDICTIONS[:1], target, LAYOUT)
    before = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(KeyboardInterrupt):
        write(form, failing(), target, LAYOUT)
    assert {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert [p.name for p in target.parent.iterdir()] == ["submission"]


def test_values_come_in_turn_and_only_early_ones_are_kept() -> None:
    taken: list[str] = []

    def values() -> Iterator[tuple[str, int]]:
        for number, name in enumerate("abcd"):
            taken.append(name)
            yield name, number

    turns = in_order(values(), "bacd")
    assert next(turns) == ("b", 1)
    assert taken == ["a", "b"]
    assert list(turns) == [("a", 0), ("c", 2), ("d", 3)]


@pytest.mark.parametrize(
    ("form", "text", "why"),
    [
        (
            Format.RLE_CSV,
            "ImageId,ClassId,EncodedPixels\nt1,1,3 9\n",
            "line 2: a run ends at pixel 11, but the image of",
        ),
        (Format.LABELS_CSV, "image_id,PredictionString\nt1,0 1\n", "line 2: it is no label map of 256x256"),
        (Format.COCO_JSON, '[{"image_id": "t9"}]', "does not hold COCO results"),
        (Format.COCO_JSON, "{", "does not hold COCO results"),
    ],
)
def test_a_damaged_submission_is_no_submission(tmp_path: Path, form: Format, text: str, why: str) -> None:
    (tmp_path / "s").write_text(text)
    with pytest.raises(DataError, match=why):
        read_back(form, tmp_path / "s", LAYOUT, {"t1": (2, 3)})


def test_a_sample_is_only_read_once(tmp_path: Path) -> None:
    layout = like(tmp_path, BINARY, "id,rle\nt1,\n사진 2,\n")
    assert isinstance(layout.sample, Sample)
    (tmp_path / "sample.csv").unlink()
    assert write(Format.RLE_CSV, PREDICTIONS, tmp_path / "s.csv", layout) == 2
