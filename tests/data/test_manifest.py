import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from competition.data.manifest import Item, Manifest
from competition.errors import DataError, UnknownNameError
from tests.data.making import item, unlabelled_item


def example() -> Manifest:
    labelled = (item("f10", (60, 40)), item("f9", (10, 20), group="g,1"), item("사진 🗑", (0, 100)))
    return Manifest(labelled, (unlabelled_item("f9"),))


def test_items_stand_in_natural_order_however_they_came() -> None:
    manifest = example()
    assert [i.id for i in manifest.items] == ["f9", "f10", "사진 🗑"]
    assert Manifest(manifest.items[::-1], manifest.test) == manifest


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    example().write(tmp_path / "manifest.csv")
    assert Manifest.read(tmp_path / "manifest.csv") == example()


def test_the_fingerprint_is_the_start_of_the_sha256_of_the_rows() -> None:
    canonical = '[["train","é","g",10,10,"i-é","m-é",[60,30],10]]'
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    assert Manifest((item("é", (60, 30), group="g"),)).fingerprint == digest[:16]


@pytest.mark.parametrize(
    "change",
    [{"group": "other"}, {"image_sha256": "x"}, {"mask_sha256": "x"}, {"pixels": (11, 19)}, {"height": 11}],
)
def test_any_change_changes_the_fingerprint(change: dict[str, object]) -> None:
    manifest = example()
    changed = Manifest((replace(manifest.items[0], **change), *manifest.items[1:]), manifest.test)  # type: ignore[arg-type]
    assert changed.fingerprint != manifest.fingerprint


def test_a_test_image_counts_in_the_fingerprint_and_is_not_found_by_id() -> None:
    manifest = example()
    assert Manifest(manifest.items).fingerprint != manifest.fingerprint
    assert manifest.item("f9").is_labelled
    with pytest.raises(UnknownNameError, match=r"no labelled image 'f100'\. Did you mean 'f10'"):
        manifest.item("f100")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("train,f10", "train,f9", "line 3, is damaged: the train image 'f9' occurs twice"),
        ("train,f10", "tr,f10", "line 3, is damaged: part is 'tr', not train or test"),
        ("60 40,0", "60 41,0", "line 3, is damaged: the pixels of the classes do not add up"),
        ("60 40,0", "60 forty,0", "line 3, is damaged: invalid literal"),
        ("test,f9,f9.png,,", "test,f9,f9.png,m.png,", "line 5, is damaged: a train image has a mask"),
        ("i-f10", "i-f11", "was changed after it was written"),
    ],
)
def test_damage_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    path = tmp_path / "manifest.csv"
    example().write(path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(DataError, match=complaint) as caught:
        Manifest.read(path)
    assert "comp init" in (caught.value.hint or "")


def test_lost_rows_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    example().write(path)
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(DataError, match="rows are gone"):
        Manifest.read(path)


def test_an_item_is_labelled_if_it_has_a_mask() -> None:
    labelled: Item = item("a")
    assert labelled.is_labelled
    assert not unlabelled_item("a").is_labelled
