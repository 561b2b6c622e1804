import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from competition.errors import DataError
from tests.data.making import index, make_data, make_settings, save


def test_every_image_is_measured(tmp_path: Path) -> None:
    make_data(tmp_path, ("a1", "a2", "b1"), size=(4, 6))
    save(np.full((5, 7), 9, np.uint8), tmp_path / "test" / "a1.png")
    seen: list[tuple[int, int]] = []
    settings = make_settings(classes=4, test_images="test", group_regex="^.")
    manifest = index(settings, tmp_path, progress=lambda *p: seen.append(p))

    assert [(i.id, i.group, i.height, i.width, i.pixels, i.void) for i in manifest.items] == [
        ("a1", "a", 4, 6, (24, 0, 0, 0), 0),
        ("a2", "a", 4, 6, (1, 23, 0, 0), 0),
        ("b1", "b", 4, 6, (1, 0, 23, 0), 0),
    ]
    content = (tmp_path / "masks" / "a2.png").read_bytes()
    assert manifest.item("a2").mask_sha256 == hashlib.sha256(content).hexdigest()
    (test,) = manifest.test
    assert (test.id, test.mask, test.group, test.height, test.width, test.pixels) == ("a1", "", "", 5, 7, ())
    assert seen[-1] == (4, 4)


def test_void_is_counted_apart(tmp_path: Path) -> None:
    make_data(tmp_path)
    manifest = index(make_settings(classes=2, void=2), tmp_path)
    assert manifest.item("b1").pixels == (1, 0)
    assert manifest.item("b1").void == 23


def test_the_fingerprint_depends_on_contents_only(tmp_path: Path) -> None:
    make_data(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    one, two = (index(make_settings(), tmp_path / name) for name in ("one", "two"))
    assert one == two
    save(np.full((4, 6, 3), 77, np.uint8), tmp_path / "two" / "images" / "a1.png")
    assert index(make_settings(), tmp_path / "two").fingerprint != one.fingerprint


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    make_data(tmp_path, ("a1", "a2", "b1", "b2", "b3", "b4"))
    (tmp_path / "masks" / "a1.png").unlink()
    (tmp_path / "images" / "a2.png").write_bytes(b"broken")
    save(np.full((4, 6), 255, np.uint8), tmp_path / "masks" / "a2.png")
    (tmp_path / "masks" / "b1.png").write_bytes(b"")
    save(np.full((5, 6), 255, np.uint8), tmp_path / "masks" / "b2.png")
    save(np.full((4, 6), 7, np.uint8), tmp_path / "masks" / "b3.png")
    with pytest.raises(DataError) as caught:
        index(make_settings(group_regex="^b"), tmp_path)
    heading, *problems = caught.value.message.splitlines()
    assert heading == "The data cannot be used as it is: 7 problems"
    assert [p.strip().replace(f"{tmp_path}/", "") for p in problems] == [
        "Mask value 255 is not a class (0..2): 54 pixels in 2 of 5 masks, first in a2.png.",
        "Mask value 7 is not a class (0..2): 24 pixels in 1 of 5 masks, first in b3.png.",
        "images/a2.png cannot be read: it is damaged, or not an image.",
        "masks/b1.png cannot be read: it is empty.",
        "The image b2.png is 4x6, but its mask is 5x6 (height x width).",
        "group_regex '^b' matches nothing in 'a2'.",
        "The image a1.png has no mask.",
    ]


def test_masks_full_of_wrong_values_give_a_short_message(tmp_path: Path) -> None:
    make_data(tmp_path, ("a",), size=(16, 16))
    save(np.arange(256, dtype=np.uint8).reshape(16, 16), tmp_path / "masks" / "a.png")
    with pytest.raises(DataError) as caught:
        index(make_settings(classes=2, void=255), tmp_path)
    assert "Mask value 2 is neither a class (0..1) nor void (255): 1 pixels in 1 of 1 masks" in caught.value.message
    assert "245 more mask values" in caught.value.message
    assert "--void VALUE" in (caught.value.hint or "")


def test_missing_folders_are_data_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 problems"):
        index(make_settings(), tmp_path)
