import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from competition.ensemble.writers import Format, rle, write
from competition.ensemble.writers.formats import Prediction
from competition.errors import RefusedError

CLASSES = ("background", "paper", "glass")
SMALL = np.array([[0, 1, 1], [2, 0, 1]], np.uint8)
EMPTY = np.zeros((3, 2), np.uint8)
PREDICTIONS: list[Prediction] = [("t1", "t1.jpg", SMALL), ("사진 2", "사진 2.png", EMPTY)]


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_png_holds_class_indices(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "submission"
    assert write(Format.PNG, PREDICTIONS, target, CLASSES) == 2
    assert sorted(p.name for p in target.iterdir()) == ["t1.png", "사진 2.png"]
    with Image.open(target / "t1.png") as image:
        assert image.mode == "L"
        assert np.array_equal(np.asarray(image), SMALL)


def test_png_replaces_a_folder_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "out" / "submission"
    write(Format.PNG, [("stale", "stale.png", EMPTY)], target, CLASSES)
    write(Format.PNG, PREDICTIONS[:1], target, CLASSES)
    assert [p.name for p in target.iterdir()] == ["t1.png"]
    assert [p.name for p in target.parent.iterdir()] == ["submission"]


def test_rle_of_several_classes(tmp_path: Path) -> None:
    target = tmp_path / "submission.csv"
    assert write(Format.RLE_CSV, PREDICTIONS, target, CLASSES) == 2
    assert rows(target) == [
        ["ImageId", "ClassId", "EncodedPixels"],
        ["t1", "1", "3 1 5 2"],
        ["t1", "2", "2 1"],
        ["사진 2", "1", ""],
        ["사진 2", "2", ""],
    ]


def test_rle_of_two_classes(tmp_path: Path) -> None:
    target = tmp_path / "submission.csv"
    write(Format.RLE_CSV, [("t1", "t1.jpg", (SMALL == 1).astype(np.uint8)), PREDICTIONS[1]], target, CLASSES[:2])
    assert target.read_text(encoding="utf-8") == "ImageId,EncodedPixels\nt1,3 1 5 2\n사진 2,\n"
    assert np.array_equal(rle.decode(rows(target)[1][1], (2, 3)), SMALL == 1)


def test_labels_are_256x256_and_named_by_file(tmp_path: Path) -> None:
    target = tmp_path / "submission.csv"
    large = np.kron(np.array([[0, 1], [2, 0]], np.uint8), np.ones((200, 300), np.uint8))
    write(Format.LABELS_CSV, [("t1", "t1.jpg", large)], target, CLASSES)
    header, (name, text) = rows(target)
    assert header == ["image_id", "PredictionString"]
    assert name == "t1.jpg"
    labels = np.array([int(word) for word in text.split(" ")]).reshape(256, 256)
    assert np.array_equal(labels, np.kron([[0, 1], [2, 0]], np.ones((128, 128), int)))


def test_never_replaces_a_persons_folder_or_file(tmp_path: Path) -> None:
    holiday = tmp_path / "mine" / "holiday.jpg"
    holiday.parent.mkdir()
    holiday.write_text("beach")
    for form, target, why in [
        (Format.PNG, holiday.parent, "holds more than label maps"),
        (Format.PNG, holiday, "is a file"),
        (Format.RLE_CSV, holiday.parent, "is a folder"),
        (Format.LABELS_CSV, holiday.parent, "is a folder"),
    ]:
        with pytest.raises(RefusedError, match=why):
            write(form, PREDICTIONS, target, CLASSES)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["holiday.jpg"]
    assert holiday.read_text() == "beach"


def failing() -> Iterator[Prediction]:
    yield PREDICTIONS[0]
    raise KeyboardInterrupt


@pytest.mark.parametrize("form", list(Format))
def test_a_failure_leaves_what_was_there(tmp_path: Path, form: Format) -> None:
    target = tmp_path / "out" / "submission"
    write(form, PREDICTIONS[:1], target, CLASSES)
    before = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(KeyboardInterrupt):
        write(form, failing(), target, CLASSES)
    assert {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert [p.name for p in target.parent.iterdir()] == ["submission"]
