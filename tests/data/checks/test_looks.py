from pathlib import Path

import numpy as np
import pytest

from competition.data.checks import looks as looks_module
from competition.data.checks.looks import find_looks
from competition.data.index import index
from competition.data.manifest import Manifest
from competition.paths import header_of
from tests.data.checks.making import picture
from tests.data.making import make_settings, save

SETTINGS = make_settings(classes=2, test_images="test")


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    for number in range(3):
        save(picture(number), tmp_path / "images" / f"i{number}.png")
        save(np.zeros((96, 96), np.uint8), tmp_path / "masks" / f"i{number}.png")
    save(picture(0), tmp_path / "test" / "t.png")
    return index(SETTINGS, tmp_path)


def read(manifest: Manifest, root: Path) -> tuple[int, dict[str, bytes]]:
    """How many pictures were looked at, and what was found."""
    looked: list[int] = []
    found = find_looks(manifest, SETTINGS, root, root / "looks.csv", progress=lambda done, _: looked.append(done))
    return len(looked), {sha256: look.hash for sha256, look in found.of.items()}


def test_each_picture_is_looked_at_once(tmp_path: Path, manifest: Manifest) -> None:
    looked, found = read(manifest, tmp_path)
    assert looked == len(found) == 3  # the test picture is the same file as a labelled one
    assert read(manifest, tmp_path) == (0, found)


def test_a_new_picture_alone_is_looked_at(tmp_path: Path, manifest: Manifest) -> None:
    read(manifest, tmp_path)
    save(picture(7), tmp_path / "images" / "i1.png")
    looked, found = read(index(SETTINGS, tmp_path), tmp_path)
    assert (looked, len(found)) == (1, 4)


def test_pictures_that_changed_or_are_gone_have_no_look(tmp_path: Path, manifest: Manifest) -> None:
    save(picture(9), tmp_path / "images" / "i1.png")
    (tmp_path / "images" / "i2.png").unlink()
    _, found = read(manifest, tmp_path)
    assert set(found) == {manifest.items[0].image_sha256}


@pytest.mark.parametrize("damage", ["header", "hash", "columns", "method"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, manifest: Manifest, damage: str) -> None:
    _, found = read(manifest, tmp_path)
    path = tmp_path / "looks.csv"
    whole = path.read_text()
    match damage:
        case "header":
            header_of(path).unlink()
        case "hash":
            path.write_text(whole.replace(next(iter(found.values())).hex(), "z" * 64))
        case "columns":
            path.write_text(whole.replace("constant", "other"))
        case "method":
            header_of(path).write_text('{"method": "another"}')
    assert read(manifest, tmp_path) == (3, found)
    assert path.read_text() == whole


def test_an_interruption_loses_no_more_than_a_chunk(
    tmp_path: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks_module, "_CHUNK", 1)

    def interrupt(done: int, total: int) -> None:
        assert total == 3
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_looks(manifest, SETTINGS, tmp_path, tmp_path / "looks.csv", progress=interrupt)
    assert read(manifest, tmp_path)[0] == 1
