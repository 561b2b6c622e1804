from pathlib import Path

import pytest

from competition.data.split.folds import Scheme, Split
from competition.data.split.imported_split import split_by_column, split_by_file
from competition.errors import DataError
from tests.data.making import make_manifest

MANIFEST = make_manifest(*[(50, 50)] * 4)


def write(folder: Path, *lines: str) -> Path:
    path = folder / "meta.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_train_and_val_make_a_hold_out(tmp_path: Path) -> None:
    table = write(tmp_path, "frame,file,split", "1,i0.png,train", "2,x/i1.png,Train", "3,i2.png,val", "4,i3.png,val")
    split = split_by_column(MANIFEST, table, "split")
    assert split == Split(Scheme.IMPORTED, 1, 0, {"i0": -1, "i1": -1, "i2": 0, "i3": 0})


def test_other_values_are_folds_in_natural_order(tmp_path: Path) -> None:
    table = write(tmp_path, "id,part", "i0,part10", "i1,part9", "i2,part9", "i3,part1")
    assert split_by_column(MANIFEST, table, "part").assignment == {"i0": 2, "i1": 1, "i2": 1, "i3": 0}


def test_rows_of_test_images_are_ignored(tmp_path: Path) -> None:
    table = write(tmp_path, "id,fold", "t7,", "i0,0", "i1,1", "i2,1", "i3,0")
    assert split_by_column(MANIFEST, table, "fold").folds == 2


@pytest.mark.parametrize("assignment", [{"i0": 0, "i1": 1, "i2": 2, "i3": 0}, {"i0": -1, "i1": 0, "i2": -1, "i3": -1}])
def test_an_exported_split_comes_back_with_the_same_hash(tmp_path: Path, assignment: dict[str, int]) -> None:
    exported = Split(Scheme.KFOLD, max(assignment.values()) + 1, 3, assignment)
    exported.write(tmp_path / "folds.csv")
    again = split_by_file(MANIFEST, tmp_path / "folds.csv")
    assert (again.hash, again.folds) == (exported.hash, exported.folds)


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (("id,split", "i0,train", "i1,val", "i2,val"), "the image 'i3' has no split"),
        (("id,split", "i0,train", "i1,val", "i2,val", "i3,"), "the image 'i3' has no split"),
        (
            ("id,split", "i0,a", "i0,b", "i1,b", "i2,a", "i3,a"),
            "line 3: 'i0' has the split 'b', but 'a' in a line above",
        ),
        (("id,split", "i0,train", "i1,train", "i2,train", "i3,train"), "has only train: a split needs"),
        (("id,split", "i0,a", "i1,a", "i2,a", "i3,a"), "has only a: a split needs"),
        (("id,split", "i0,train", "i1,val", "i2,test", "i3,train"), "Next to train, only one value may stand"),
        (("id,split", "i0,a", "i1,b", "i2,c", "i3,d"), "a different value for every image"),
        (("id,split", "x,a", "y,b"), "no column with the names of the images"),
        (("id,splitt", "i0,a", "i1,b"), "no column 'split'. Did you mean 'splitt'"),
    ],
)
def test_values_that_make_no_split_are_explained(tmp_path: Path, lines: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(DataError) as caught:
        split_by_column(MANIFEST, write(tmp_path, *lines), "split")
    assert complaint in caught.value.message


def test_a_file_of_folds_names_no_unknown_images(tmp_path: Path) -> None:
    path = write(tmp_path, "id,fold", "i0,0", "i1,1", "i2,1", "i3,0", "i9,0")
    with pytest.raises(DataError, match="line 6: there is no image 'i9'"):
        split_by_file(MANIFEST, path)
