import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from competition.data.checks import image_hashes
from competition.data.checks.image_hashes import NEAR, distances, hash_image, hash_images, near_pairs
from competition.data.manifest import Manifest
from competition.paths import header_of
from tests.data.checks.making import picture
from tests.data.making import index, make_settings, save

SETTINGS = make_settings(classes=2, test_images="test")


def as_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def bits_apart(a: np.ndarray, b: np.ndarray) -> int:
    rows = [np.frombuffer(hash_image(image).bits, np.uint8) for image in (a, b)]
    return int(distances(rows[0], rows[1]))


@pytest.mark.parametrize(
    "change",
    [
        lambda image: as_jpeg(image, 60),
        lambda image: np.asarray(Image.fromarray(image).resize((48, 48), Image.Resampling.BILINEAR)),
        lambda image: np.clip(image * 0.8 + 10, 0, 255).astype(np.uint8),
        lambda image: image[1:, 1:],
    ],
    ids=["jpeg", "half the size", "darker", "cut by a pixel"],
)
def test_a_changed_image_stays_near(change) -> None:  # type: ignore[no-untyped-def]
    assert max(bits_apart(picture(seed), change(picture(seed))) for seed in range(5)) <= NEAR


def test_other_images_are_far() -> None:
    assert min(bits_apart(picture(seed), picture(seed + 1)) for seed in range(20)) > 2 * NEAR


def test_a_hash_is_the_same_bits_on_every_machine() -> None:
    rows, columns = np.mgrid[:64, :64]
    image = np.repeat((rows * columns % 251).astype(np.uint8)[..., None], 3, axis=2)
    assert hash_image(image).bits.hex() == PINNED


PINNED = "800000ff0fff0ff03f003e073c1f387c70f071e371c7738e631c673966736666"


def test_near_pairs_are_those_that_comparing_one_by_one_finds() -> None:
    generator = np.random.default_rng(0)
    hashes = generator.integers(0, 256, (600, 32), dtype=np.uint8)
    for row in range(40):  # some that differ from another in a few bits
        hashes[500 + row] = hashes[row * 7]
        hashes[500 + row, : row // 2] ^= 0b10010001
    bits = np.unpackbits(hashes, axis=1)
    expected = [(i, j) for i in range(600) for j in range(i + 1, 600) if int((bits[i] != bits[j]).sum()) <= NEAR]
    assert 0 < len(expected) < 40
    assert [tuple(pair) for pair in near_pairs(hashes).tolist()] == sorted(expected)


def test_no_images_have_no_pairs() -> None:
    assert near_pairs(np.empty((0, 32), np.uint8)).shape == (0, 2)


@pytest.mark.parametrize(
    ("image", "constant", "flat"),
    [
        (np.zeros((20, 30, 3), np.uint8), True, True),
        (np.full((20, 30, 3), (10, 200, 30), np.uint8), True, True),
        (np.random.default_rng(0).integers(100, 102, (90, 90, 3), dtype=np.uint8), False, True),
        (picture(0), False, False),
    ],
    ids=["black", "one colour", "faint noise", "a photo"],
)
def test_constant_and_flat_images_are_marked(image: np.ndarray, constant: bool, flat: bool) -> None:
    image_hash = hash_image(image)
    assert (image_hash.constant, image_hash.flat) == (constant, flat)


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    for number in range(3):
        save(picture(number), tmp_path / "images" / f"i{number}.png")
        save(np.zeros((96, 96), np.uint8), tmp_path / "masks" / f"i{number}.png")
    save(picture(0), tmp_path / "test" / "t.png")
    return index(SETTINGS, tmp_path)


def read(manifest: Manifest, root: Path) -> tuple[int, dict[str, bytes]]:
    """How many images were hashed now, and the hashes of all."""
    new: list[int] = []
    hashes = hash_images(manifest, SETTINGS, root, root / "looks.csv", progress=lambda done, _: new.append(done))
    return len(new), {sha256: image_hash.bits for sha256, image_hash in hashes.by_sha256.items()}


def test_each_image_is_hashed_once(tmp_path: Path, manifest: Manifest) -> None:
    new, hashes = read(manifest, tmp_path)
    assert new == len(hashes) == 3  # the test image is the same file as a labelled one
    assert read(manifest, tmp_path) == (0, hashes)


def test_only_a_new_image_is_hashed(tmp_path: Path, manifest: Manifest) -> None:
    read(manifest, tmp_path)
    save(picture(7), tmp_path / "images" / "i1.png")
    new, hashes = read(index(SETTINGS, tmp_path), tmp_path)
    assert (new, len(hashes)) == (1, 4)


def test_images_that_changed_or_are_gone_have_no_hash(tmp_path: Path, manifest: Manifest) -> None:
    save(picture(9), tmp_path / "images" / "i1.png")
    (tmp_path / "images" / "i2.png").unlink()
    _, hashes = read(manifest, tmp_path)
    assert set(hashes) == {manifest.items[0].image_sha256}


@pytest.mark.parametrize("damage", ["header", "hash", "columns", "method"])
def test_a_damaged_file_is_made_again(tmp_path: Path, manifest: Manifest, damage: str) -> None:
    _, hashes = read(manifest, tmp_path)
    path = tmp_path / "looks.csv"
    whole = path.read_text()
    match damage:
        case "header":
            header_of(path).unlink()
        case "hash":
            path.write_text(whole.replace(next(iter(hashes.values())).hex(), "z" * 64))
        case "columns":
            path.write_text(whole.replace("constant", "other"))
        case "method":
            header_of(path).write_text('{"method": "another"}')
    assert read(manifest, tmp_path) == (3, hashes)
    assert path.read_text() == whole


def test_an_interruption_loses_no_more_than_a_chunk(
    tmp_path: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_hashes, "_CHUNK", 1)

    def interrupt(done: int, total: int) -> None:
        assert total == 3
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hash_images(manifest, SETTINGS, tmp_path, tmp_path / "looks.csv", progress=interrupt)
    assert read(manifest, tmp_path)[0] == 1
