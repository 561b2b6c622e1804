from pathlib import Path

import pytest

from competition.errors import DataError
from competition.submission.sample import Sample, read_sample

IMAGES = {"a": "a.jpg", "b": "b.jpg"}


def sample(folder: Path, text: str) -> Sample:
    path = folder / "sample.csv"
    path.write_text(text, encoding="utf-8")
    return read_sample(path)


@pytest.mark.parametrize(
    ("header", "image", "value", "of_class"),
    [
        ("id,rle_mask", "id", "rle_mask", None),
        ("ImageId,EncodedPixels", "ImageId", "EncodedPixels", None),
        ("ImageId,EncodedPixels,ClassId", "ImageId", "EncodedPixels", "ClassId"),
        ("id,class,segmentation", "id", "segmentation", "class"),
        ("image_id,PredictionString", "image_id", "PredictionString", None),
        ("img,rle_mask", "img", "rle_mask", None),
        ("photo,answer", "photo", "answer", None),
        ("photo,label", "photo", "label", None),
        ("height,Image_ID,EncodedPixels", "Image_ID", "EncodedPixels", None),
    ],
)
def test_columns_are_recognised(tmp_path: Path, header: str, image: str, value: str, of_class: str | None) -> None:
    found = sample(tmp_path, f"{header}\n{','.join('x' for _ in header.split(','))}\n")
    assert (found.image_column, found.value_column, found.class_column) == (image, value, of_class)
    assert ",".join(found.columns) == header


@pytest.mark.parametrize("names", [("b", "a"), ("b.jpg", "a.jpg"), ("b", "a.jpg")])
def test_images_go_by_id_or_file_name_in_the_sample_s_order(tmp_path: Path, names: tuple[str, str]) -> None:
    found = sample(tmp_path, f"id,rle\n{names[0]},\n{names[1]},1 1\n")
    assert list(found.match(IMAGES).items()) == [(names[0], "b"), (names[1], "a")]


def test_folders_may_be_left_out_where_that_is_no_riddle(tmp_path: Path) -> None:
    found = sample(tmp_path, "id,rle\n1.jpg,\n2,\n")
    assert found.match({"x/1": "x/1.jpg", "y/2": "y/2.jpg"}) == {"1.jpg": "x/1", "2": "y/2"}
    with pytest.raises(DataError, match=r"'1\.jpg' is no test image"):
        found.match({"x/1": "x/1.jpg", "y/1": "y/1.jpg", "y/2": "y/2.jpg"})


def test_everything_that_does_not_fit_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)2 problems.*'c' is no test image.*test image 'b' is not in it"):
        sample(tmp_path, "id,rle\na,\nc,\n").match(IMAGES)


@pytest.mark.parametrize(("cell", "label"), [("cat", 1), ("2", 2), ("dog", 2), ("0", 0)])
def test_a_class_is_a_name_or_a_number(tmp_path: Path, cell: str, label: int) -> None:
    found = sample(tmp_path, f"id,class,rle\na,{cell},\n")
    assert found.label_of(found.rows[0], ("background", "cat", "dog")) == label


@pytest.mark.parametrize("cell", ["cow", "3", ""])
def test_an_unknown_class_is_an_error(tmp_path: Path, cell: str) -> None:
    found = sample(tmp_path, f"id,class,rle\na,{cell},\n")
    with pytest.raises(DataError, match="names the class"):
        found.label_of(found.rows[0], ("background", "cat", "dog"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("id\na\n", "has one column, 'id'"),
        ("id,rle\na,\na,\n", "has two rows for 'a'"),
        ("id,class,rle\na,cat,\na,cat,1 1\n", "has two rows for 'a', class 'cat'"),
        ("", "is empty"),
        ("id,rle\n", "has no rows"),
    ],
)
def test_what_is_no_sample(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(DataError, match=why):
        sample(tmp_path, text)
