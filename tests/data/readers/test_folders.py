import os
from pathlib import Path

import pytest

from competition.data.readers.choose import find_test
from competition.data.readers.encodings import Values
from competition.data.readers.folders import FolderReader
from competition.data.readers.source import Listing
from tests.data.making import make_settings


def touch(root: Path, *files: str) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()


def list_in(root: Path, *files: str, masks: str = "masks", pattern: str = "{stem}") -> Listing:
    touch(root, *files)
    return FolderReader(root / "images", root / masks, Values({}), pattern).find()


def test_files_pair_by_stem_in_natural_order(tmp_path: Path) -> None:
    listing = list_in(tmp_path, "images/x10.JPG", "images/x9.jpeg", "masks/x9.PNG", "masks/x10.tif")
    assert listing.problems == ()
    assert [(s.id, s.image, s.mask) for s in listing.sources] == [
        ("x9", "x9.jpeg", "x9.PNG"),
        ("x10", "x10.JPG", "x10.tif"),
    ]
    assert listing.sources[0].path == tmp_path / "images" / "x9.jpeg"
    assert listing.sources[0].label_files == (tmp_path / "masks" / "x9.PNG",)


def test_a_pattern_says_what_masks_are_called(tmp_path: Path) -> None:
    listing = list_in(tmp_path, "images/1.png", "images/2.png", "masks/m_1_L.png", "masks/2.png", pattern="m_{stem}_L")
    assert [(s.id, s.mask) for s in listing.sources] == [("1", "m_1_L.png")]
    assert listing.problems == (
        "The image 2.png has no mask (expected: m_2_L with the suffix of an image).",
        "The mask 2.png has no image.",
    )


def test_images_and_masks_in_one_folder(tmp_path: Path) -> None:
    files = ("images/1.png", "images/1_mask.png", "images/2_mask.png", "images/2_mask_mask.png")
    listing = list_in(tmp_path, *files, masks="images", pattern="{stem}_mask")
    assert [(s.id, s.mask) for s in listing.sources] == [("1", "1_mask.png"), ("2_mask", "2_mask_mask.png")]
    assert listing.problems == ()
    assert "use two folders" in list_in(tmp_path, masks="images").problems[0]


def test_hidden_files_and_other_files_are_passed_over(tmp_path: Path) -> None:
    listing = list_in(tmp_path, "images/a.png", "masks/a.png", "images/._a.png", "masks/.DS_Store", "images/README.txt")
    assert listing.problems == ()
    assert [s.id for s in listing.sources] == ["a"]


def test_every_unpaired_file_is_named(tmp_path: Path) -> None:
    listing = list_in(tmp_path, "images/a.png", "images/b.png", "images/c.png", "masks/c.png", "masks/d.gif")
    assert [s.id for s in listing.sources] == ["c"]
    assert listing.problems == (
        "The image a.png has no mask.",
        "The image b.png has no mask.",
        "The mask d.gif has no image.",
    )


def test_two_files_of_one_stem_are_named(tmp_path: Path) -> None:
    listing = list_in(tmp_path, "images/a.png", "images/a.jpg", "masks/a.png")
    assert len(listing.problems) == 1
    assert "a.jpg and a.png have the same stem" in listing.problems[0]


def test_missing_and_empty_folders_are_named(tmp_path: Path) -> None:
    listing = list_in(tmp_path, "masks/a.npy")
    assert listing.sources == ()
    images, masks = listing.problems
    assert images == f"The folder of images, {tmp_path / 'images'}, does not exist."
    assert "has no image files" in masks
    assert "it holds a.npy" in masks


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "images").touch()
    assert "cannot be read (Not a directory)" in list_in(tmp_path, "masks/a.png").problems[0]


def test_names_that_cannot_be_written_down_are_problems(tmp_path: Path) -> None:
    list_in(tmp_path, "images/a.png", "masks/a.png")
    try:
        Path(os.fsdecode(bytes(tmp_path) + b"/images/\xff.png")).touch()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert "cannot be printed" in list_in(tmp_path).problems[0]


def test_test_images_have_no_mask(tmp_path: Path) -> None:
    touch(tmp_path, "test/2.webp", "test/1.bmp")
    listing = find_test(make_settings(test_images="test"), tmp_path)
    assert [(s.id, s.image, s.mask) for s in listing.sources] == [("1", "1.bmp", ""), ("2", "2.webp", "")]
    assert find_test(make_settings(), tmp_path) == Listing(())
    assert "The folder of test images" in find_test(make_settings(test_images="none"), tmp_path).problems[0]
