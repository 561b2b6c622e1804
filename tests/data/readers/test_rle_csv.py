from pathlib import Path

import numpy as np
import pytest

from competition.config.settings import Settings
from competition.data.index import index_data
from competition.data.load import open_loader
from competition.data.readers.rle_csv import RleColumns, RleReader, classes_of, detect_columns, read_rle_csv
from competition.errors import DataError
from tests.data.making import index, make_settings, save


def competition(root: Path, text: str, *, classes: int = 2, of_class: str | None = None) -> Settings:
    """Images a and b of 3x2 pixels, and the CSV."""
    for name in ("a.png", "b.png"):
        save(np.zeros((3, 2, 3), np.uint8), root / "images" / name)
    (root / "train.csv").write_text(text)
    columns = {"image_column": "id", "rle_column": "rle", "class_column": of_class}
    return make_settings(classes=classes, masks=None, rle_csv="train.csv", **columns)


def test_several_rows_make_one_label_and_an_empty_cell_is_no_object(tmp_path: Path) -> None:
    settings = competition(tmp_path, "id,rle\na,1 2\na,6 1\nb,\n")
    manifest = index(settings, tmp_path)
    assert [(i.id, i.mask, i.pixels, i.void) for i in manifest.items] == [("a", "a", (3, 3), 0), ("b", "b", (6, 0), 0)]
    assert open_loader(settings, tmp_path).labels(manifest.item("a")).tolist() == [[1, 0], [1, 0], [0, 1]]


def test_an_image_without_a_row_is_background_and_said(tmp_path: Path) -> None:
    indexed = index_data(competition(tmp_path, "id,rle\na,1 2\n"), tmp_path)
    assert indexed.manifest.item("b").pixels == (6, 0)
    assert indexed.notes == ("Images without a row in train.csv: 1, such as b. All their pixels are background.",)


def test_images_are_named_with_suffix_and_folders_or_without(tmp_path: Path) -> None:
    manifest = index(competition(tmp_path, "id,rle\ntrain/a.jpg,1 1\nb,1 2\n"), tmp_path)
    assert [i.pixels for i in manifest.items] == [(5, 1), (4, 2)]


@pytest.mark.parametrize("cells", [("b", "c"), ("1", "2")], ids=["by name", "by number"])
def test_classes_by_name_or_number_the_later_row_on_top(tmp_path: Path, cells: tuple[str, str]) -> None:
    text = f"id,rle,cls\na,1 3,{cells[0]}\na,2 1,{cells[1]}\nb,,{cells[0]}\nb,,{cells[1]}\n"
    settings = competition(tmp_path, text, classes=3, of_class="cls")
    assert open_loader(settings, tmp_path).labels(index(settings, tmp_path).item("a")).tolist() == [
        [1, 0],
        [2, 0],
        [1, 0],
    ]


def test_a_label_changes_with_its_own_rows_alone(tmp_path: Path) -> None:
    before = index(competition(tmp_path, "id,rle\na,1 2\nb,\n"), tmp_path)
    settings = competition(tmp_path, "id,rle\na,1 2\nb,1 1\n")
    after = index(settings, tmp_path)
    assert before.item("a").mask_sha256 == after.item("a").mask_sha256
    with pytest.raises(DataError, match=r"label b of b\.png has changed"):
        open_loader(settings, tmp_path).labels(before.item("b"))


def test_every_row_that_is_wrong_is_named(tmp_path: Path) -> None:
    text = "id,rle,cls\nx,1 2,b\nnan,1 1,b\na,1 1,z\na,1 9,b\nb,1 1,b\nb,1 1,b\n"
    with pytest.raises(DataError) as caught:
        index(competition(tmp_path, text, classes=3, of_class="cls"), tmp_path)
    problems = [line.strip().replace(f"{tmp_path}/", "") for line in caught.value.message.splitlines()[1:]]
    assert problems == [
        "train.csv, line 5: a run ends at pixel 9, but the image of 3x2 has 6 pixels.",
        "train.csv, line 2: there is no image 'x' in images.",
        "train.csv, line 3: the row names no image.",
        "train.csv, line 4: 'z' is not a class.",
        "train.csv: two rows of image 'b' are the same.",
    ]


def test_an_empty_row_beside_an_object_is_a_contradiction(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="image 'a' has a row without an object and rows with one"):
        index(competition(tmp_path, "id,rle\na,1 2\na,\n"), tmp_path)


def test_the_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from competition.data.readers import rle_csv

    reads: list[Path] = []
    read_csv = rle_csv.read_csv
    monkeypatch.setattr(rle_csv, "read_csv", lambda path: (reads.append(path), read_csv(path))[1])
    settings = competition(tmp_path, "id,rle\na,1 2\nb,\n")
    manifest = index(settings, tmp_path)
    for _ in range(3):
        open_loader(settings, tmp_path).labels(manifest.item("a"))
    assert len(reads) == 1


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("ImageId,EncodedPixels", RleColumns("ImageId", "EncodedPixels")),
        ("rle_mask,id", RleColumns("id", "rle_mask")),
        ("file,ClassId,EncodedPixels", RleColumns("file", "EncodedPixels", "ClassId")),
        ("id,class,segmentation", RleColumns("id", "segmentation", "class")),
    ],
)
def test_columns_are_detected(tmp_path: Path, header: str, columns: RleColumns) -> None:
    named = {columns.image: "a.png", columns.rle: "1 1"}
    row = ",".join(named.get(column, "k") for column in header.split(","))
    (tmp_path / "t.csv").write_text(f"{header}\n{row}\n")
    assert (
        detect_columns(
            read_rle_csv(tmp_path / "t.csv"), ["a", "b"], image_column=None, rle_column=None, class_column=None
        )
        == columns
    )


def test_columns_that_cannot_be_detected_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\na,1 1\n")
    table = read_rle_csv(tmp_path / "t.csv")
    with pytest.raises(DataError, match=r"has no column encodedpixels or rle.*\n.*--rle-column"):
        detect_columns(table, ["a"], image_column=None, rle_column=None, class_column=None)
    with pytest.raises(DataError, match=r"has the names of the images \(such as 'q'\).*\n.*--image-column"):
        detect_columns(table, ["q"], image_column=None, rle_column="y", class_column=None)
    with pytest.raises(DataError, match="no column 'z'"):
        detect_columns(table, ["a"], image_column="z", rle_column=None, class_column=None)
    assert detect_columns(table, ["a"], image_column=None, rle_column="y", class_column=None) == RleColumns("x", "y")


def test_classes_are_those_that_occur(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,rle,class\na,1 1,10\na,2 1,9\nb,,\n")
    table = read_rle_csv(tmp_path / "t.csv")
    assert classes_of(table, RleColumns("id", "rle", "class")) == ("background", "9", "10")
    assert classes_of(table, RleColumns("id", "rle")) == ("background", "object")


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    reader = RleReader(tmp_path / "gone.csv", tmp_path, ("a", "b"), RleColumns("id", "rle"))
    with pytest.raises(DataError, match=r"gone\.csv cannot be read: No such file"):
        reader.read_labels("a", "a", size=(3, 2))
