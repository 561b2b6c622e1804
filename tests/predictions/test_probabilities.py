import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from competition.errors import DataError
from competition.paths import archive_of, header_of
from competition.predictions.probabilities import ShardWriter, quantise
from competition.predictions.shards import Shard

CLASSES = ("background", "paper", "glass")


def some(height: int, width: int, *, classes: int = 3, seed: int = 0) -> np.ndarray:
    """Random probabilities."""
    drawn = np.random.default_rng(seed).dirichlet(np.full(classes, 0.4), (height, width))
    return np.moveaxis(drawn, -1, 0).astype(np.float32)


def writer(path: Path, *, classes: tuple[str, ...] = CLASSES) -> ShardWriter:
    return ShardWriter(path, classes=classes, part="oof", split_hash="s" * 64, fingerprint="f" * 16)


def write(path: Path, images: dict[str, np.ndarray]) -> ShardWriter:
    with writer(path) as shard:
        for image_id, probabilities in images.items():
            shard.add(image_id, probabilities)
    return shard


def test_rounds_to_the_nearest_of_256_levels() -> None:
    probabilities = np.array([0.0, 1.0, 0.5, 0.0019, 0.0020], np.float32).reshape(5, 1, 1)
    assert quantise(probabilities).ravel().tolist() == [0, 255, 128, 0, 1]


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=40))
def test_rounding_moves_a_probability_by_at_most_half_a_level(values: list[float]) -> None:
    stored = quantise(np.array(values, np.float32).reshape(-1, 1, 1)).ravel() / 255
    assert np.abs(stored - np.array(values, np.float32)).max() <= 1 / 510 + 1e-7


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), max_size=5), st.integers(2, 12))
def test_images_of_any_sizes_come_back(sizes: list[tuple[int, int]], classes: int) -> None:
    images = {f"image {n}": some(h, w, classes=classes, seed=n) for n, (h, w) in enumerate(sizes)}
    names = tuple(f"class {c}" for c in range(classes))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "oof.u8"
        with writer(path, classes=names) as written:
            for image_id, probabilities in images.items():
                written.add(image_id, probabilities)
        shard = Shard.open(path)
        assert shard.classes == names
        assert shard.ids == tuple(images)
        assert shard.sizes == {f"image {n}": size for n, size in enumerate(sizes)}
        for image_id, probabilities in images.items():
            assert np.array_equal(shard[image_id], quantise(probabilities))
        shard.verify()


def test_knows_where_it_comes_from(tmp_path: Path) -> None:
    written = write(tmp_path / "oof.u8", {"a": some(3, 4)})
    shard = Shard.open(tmp_path / "oof.u8")
    assert (shard.part, shard.split_hash, shard.fingerprint) == ("oof", "s" * 64, "f" * 16)
    assert "a" in shard
    assert "b" not in shard
    assert shard.sha256 == written.sha256 == hashlib.sha256((tmp_path / "oof.u8").read_bytes()).hexdigest()
    assert sorted(p.name for p in tmp_path.glob("*.*")) == ["oof.u8", "oof.u8.json"]


def test_a_view_is_mapped_and_read_only(tmp_path: Path) -> None:
    write(tmp_path / "oof.u8", {"a": some(3, 4), "b": some(5, 2)})
    view = Shard.open(tmp_path / "oof.u8")["b"]
    assert isinstance(view, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        view[0, 0, 0] = 1


def test_counts_the_pixels_whose_decision_rounding_could_change(tmp_path: Path) -> None:
    # Margins between the two best: 0.2, 0.003 (uncertain: under 1/255 = 0.0039), 0.005, 0 (uncertain).
    rows = [[0.6, 0.4, 0.0], [0.4, 0.397, 0.203], [0.1, 0.4475, 0.4525], [0.45, 0.1, 0.45]]
    probabilities = np.array(rows, np.float32).T.reshape(3, 2, 2)
    written = write(tmp_path / "oof.u8", {"a": probabilities})
    assert written.uncertain_share == 0.5
    assert Shard.open(tmp_path / "oof.u8").uncertain_share == 0.5


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((3, 2, 2), np.float32),
        np.full((3, 2, 2), 0.5, np.float32),
        np.full((3, 2, 2), np.nan, np.float32),
        np.array([1.5, -0.5, 0.0], np.float32).reshape(3, 1, 1),
        np.full((2, 2, 2), 0.5, np.float32),
        np.full((3, 4), 1 / 3, np.float32),
        np.zeros((3, 0, 2), np.float32),
    ],
)
def test_refuses_what_is_no_probability(tmp_path: Path, wrong: np.ndarray) -> None:
    with writer(tmp_path / "oof.u8") as shard, pytest.raises(ValueError, match="a: "):
        shard.add("a", wrong)


def test_refuses_an_image_twice(tmp_path: Path) -> None:
    with writer(tmp_path / "oof.u8") as shard:
        shard.add("a", some(2, 2))
        with pytest.raises(ValueError, match="already"):
            shard.add("a", some(2, 2))


def test_an_exception_leaves_nothing_and_keeps_the_old_shard(tmp_path: Path) -> None:
    write(tmp_path / "oof.u8", {"old": some(2, 2)})
    with pytest.raises(KeyboardInterrupt), writer(tmp_path / "oof.u8") as shard:
        shard.add("new", some(2, 2))
        raise KeyboardInterrupt
    assert Shard.open(tmp_path / "oof.u8").ids == ("old",)
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["oof.u8", "oof.u8.json"]


def test_a_new_shard_replaces_the_old(tmp_path: Path) -> None:
    write(tmp_path / "oof.u8", {"old": some(2, 2)})
    write(tmp_path / "oof.u8", {"new": some(3, 3)})
    shard = Shard.open(tmp_path / "oof.u8")
    assert shard.ids == ("new",)
    shard.verify()


def test_a_changed_byte_is_found(tmp_path: Path) -> None:
    path = tmp_path / "oof.u8"
    write(path, {"a": some(4, 4)})
    data = bytearray(path.read_bytes())
    data[7] ^= 1
    path.write_bytes(data)
    shard = Shard.open(path)
    with pytest.raises(DataError, match="has changed since it was written"):
        shard.verify()


def refusal(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        Shard.open(path)
    assert "comp retry" in (caught.value.hint or "")
    return caught.value


def test_missing_files(tmp_path: Path) -> None:
    path = tmp_path / "oof.u8"
    assert "never finished" in refusal(path).message
    write(path, {"a": some(4, 4)})
    path.unlink()
    assert "does not exist" in refusal(path).message


@pytest.mark.parametrize("change", [-1, 1])
def test_a_shard_of_another_length(tmp_path: Path, change: int) -> None:
    path = tmp_path / "oof.u8"
    write(path, {"a": some(4, 4)})
    data = path.read_bytes()
    path.write_bytes(data[:-1] if change < 0 else data + b"\0")
    assert refusal(path).message.endswith(f"has {48 + change} bytes, and its header says 48.")


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"classes": []},
        {"part": "train"},
        {"quantisation": "float16"},
        {"uncertain_share": 1.5},
        {"unknown": 1},
        {"images": [{"id": "a", "height": 4, "width": 4, "offset": 48}]},
        {"images": [{"id": "a", "height": 0, "width": 4, "offset": 0}]},
        {"images": [{"id": "a", "height": "4", "width": 4, "offset": 0}]},
        {
            "images": [
                {"id": "a", "height": 2, "width": 4, "offset": 0},
                {"id": "a", "height": 2, "width": 4, "offset": 24},
            ]
        },
    ],
)
def test_a_damaged_header(tmp_path: Path, changes: dict[str, object]) -> None:
    path = tmp_path / "oof.u8"
    write(path, {"a": some(4, 4)})
    header = json.loads(header_of(path).read_text())
    header_of(path).write_text(json.dumps({**header, **changes}))
    assert "is damaged" in refusal(path).message


@pytest.mark.parametrize("text", ["", "{", "[]", '"oof"', "\x80"])
def test_a_header_that_is_no_header(tmp_path: Path, text: str) -> None:
    path = tmp_path / "oof.u8"
    write(path, {"a": some(4, 4)})
    header_of(path).write_bytes(text.encode("latin-1"))
    assert "is damaged" in refusal(path).message


def test_an_archive_reads_like_the_shard(tmp_path: Path) -> None:
    path = tmp_path / "oof.u8"
    images = {"a/1": some(30, 41), "b": some(5, 2, seed=1), "c": some(1, 1, seed=2)}
    write(path, images)
    before = path.stat().st_size
    done: list[None] = []
    freed = Shard.open(path).archive(advance=lambda: done.append(None))
    assert len(done) == 3
    assert not path.exists()
    assert archive_of(path).stat().st_size == before - freed
    shard = Shard.open(path)
    assert shard.is_archived
    assert shard.ids == tuple(images)
    for image_id, probabilities in images.items():
        assert np.array_equal(shard[image_id], quantise(probabilities))
        assert not shard[image_id].flags.writeable
    shard.verify()
    assert shard.archive() == 0


def test_a_damaged_shard_is_not_archived(tmp_path: Path) -> None:
    path = tmp_path / "oof.u8"
    write(path, {"a": some(4, 4)})
    data = bytearray(path.read_bytes())
    data[3] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="stays as it is"):
        Shard.open(path).archive()
    assert path.read_bytes() == data
    assert not archive_of(path).exists()


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_truncated_archive_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "oof.u8"
    write(path, {"a": some(9, 9), "b": some(9, 9, seed=1)})
    Shard.open(path).archive()
    archive_of(path).write_bytes(archive_of(path).read_bytes()[:-cut])
    assert "oof.u8.zip is damaged" in refusal(path).message


def test_an_altered_archive_is_refused_where_it_is_altered(tmp_path: Path) -> None:
    path = tmp_path / "oof.u8"
    write(path, {"a": some(9, 9), "b": some(9, 9, seed=1)})
    Shard.open(path).archive()
    data = bytearray(archive_of(path).read_bytes())
    data[60] ^= 0x55
    archive_of(path).write_bytes(data)
    shard = Shard.open(path)
    with pytest.raises(DataError, match="damaged at a"):
        shard["a"]
    assert np.array_equal(shard["b"], quantise(some(9, 9, seed=1)))


def test_writing_a_shard_again_removes_its_archive(tmp_path: Path) -> None:
    path = tmp_path / "oof.u8"
    write(path, {"old": some(4, 4)})
    Shard.open(path).archive()
    write(path, {"new": some(4, 4)})
    assert not archive_of(path).exists()
    assert Shard.open(path).ids == ("new",)


def test_an_archive_of_other_images_is_refused(tmp_path: Path) -> None:
    path, other = tmp_path / "oof.u8", tmp_path / "other.u8"
    write(path, {"a": some(4, 4)})
    write(other, {"a": some(4, 4), "b": some(4, 4)})
    Shard.open(other).archive()
    path.unlink()
    archive_of(other).rename(archive_of(path))
    assert "holds 2 images, and its header 1" in refusal(path).message


def test_a_shard_from_before_the_short_checksum_is_compared_by_its_long_one(tmp_path: Path) -> None:
    path = tmp_path / "oof.u8"
    write(path, {"a": some(4, 4)})
    header = json.loads(header_of(path).read_text())
    del header["crc32"]
    header_of(path).write_text(json.dumps(header))
    Shard.open(path).verify()
    path.write_bytes(bytes(len(path.read_bytes())))
    with pytest.raises(DataError, match="its checksum is another"):
        Shard.open(path).verify()
