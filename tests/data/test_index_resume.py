import json
import os
from pathlib import Path

import pytest

from competition.data import index as index_module
from competition.data.images import decode_image, measure_image
from competition.errors import DataError
from tests.data.making import index, make_data, make_settings, save

IDS = tuple(f"i{number}" for number in range(6))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The images that an index decodes, as it does."""
    seen: list[str] = []
    monkeypatch.setattr(
        index_module, "measure_image", lambda data, path: (seen.append(path.stem), measure_image(data, path))[1]
    )
    return seen


def interrupted_index(root: Path, *, after: int) -> Path:
    """An index that somebody breaks off."""
    resume_file = root / "runs" / "data" / "journal"

    def stop(done: int, _: int) -> None:
        if done == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index(make_settings(), root, resume_file=resume_file, progress=stop)
    return resume_file


def test_an_interrupted_index_goes_on_where_it_was(tmp_path: Path, decoded: list[str]) -> None:
    make_data(tmp_path, IDS)
    resume_file = interrupted_index(tmp_path, after=4)
    looked_at = len(decoded)
    assert looked_at >= 4
    decoded.clear()
    manifest = index(make_settings(), tmp_path, resume_file=resume_file)
    assert len(decoded) == len(IDS) - looked_at
    assert manifest == index(make_settings(), tmp_path)


def test_it_leaves_nothing_when_it_ends(tmp_path: Path) -> None:
    make_data(tmp_path, IDS)
    index(make_settings(), tmp_path, resume_file=tmp_path / "runs" / "data" / "journal")
    assert not (tmp_path / "runs").exists()
    (tmp_path / "masks" / "i0.png").unlink()
    with pytest.raises(DataError):
        index(make_settings(), tmp_path, resume_file=tmp_path / "runs" / "data" / "journal")
    assert not (tmp_path / "runs").exists()


def test_a_file_that_changed_since_is_looked_at_again(tmp_path: Path, decoded: list[str]) -> None:
    make_data(tmp_path, IDS)
    resume_file = interrupted_index(tmp_path, after=6)
    for name in ("images/i1.png", "masks/i2.png"):
        os.utime(tmp_path / name, ns=(1, 1))
    decoded.clear()
    index(make_settings(), tmp_path, resume_file=resume_file)
    assert sorted(decoded) == ["i1", "i2"]


def test_other_settings_begin_anew(tmp_path: Path, decoded: list[str]) -> None:
    make_data(tmp_path, IDS)
    resume_file = interrupted_index(tmp_path, after=6)
    decoded.clear()
    index(make_settings(classes=4), tmp_path, resume_file=resume_file)
    assert sorted(decoded) == list(IDS)


def test_a_line_that_was_cut_off_is_passed_over(tmp_path: Path, decoded: list[str]) -> None:
    make_data(tmp_path, IDS)
    resume_file = interrupted_index(tmp_path, after=6)
    resume_file.write_bytes(resume_file.read_bytes()[:-20])
    decoded.clear()
    index(make_settings(), tmp_path, resume_file=resume_file)
    assert len(decoded) == 1
    resume_file.parent.mkdir(parents=True)
    resume_file.write_bytes(b"\xff\x00")
    index(make_settings(), tmp_path, resume_file=resume_file)


def test_what_was_wrong_is_not_remembered(tmp_path: Path) -> None:
    make_data(tmp_path, IDS)
    save(decode_image((tmp_path / "images" / "i0.png").read_bytes(), Path("a.png"))[:2], tmp_path / "images" / "i0.png")
    resume_file = interrupted_index(tmp_path, after=6)
    known = [json.loads(line).get("item", {}).get("id") for line in resume_file.read_text().splitlines()]
    assert sorted(i for i in known if i) == list(IDS[1:])
    with pytest.raises(DataError, match=r"i0\.png is 2x6, but its mask is 4x6"):
        index(make_settings(), tmp_path, resume_file=resume_file)
