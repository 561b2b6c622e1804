import io

import numpy as np
import pytest
from PIL import Image

from competition.data.checks.hashes import NEAR, distances, look_at, near_pairs
from tests.data.checks.making import picture


def as_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def bits_apart(a: np.ndarray, b: np.ndarray) -> int:
    rows = [np.frombuffer(look_at(image).hash, np.uint8) for image in (a, b)]
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
def test_a_changed_picture_stays_near(change) -> None:  # type: ignore[no-untyped-def]
    assert max(bits_apart(picture(seed), change(picture(seed))) for seed in range(5)) <= NEAR


def test_other_pictures_are_far() -> None:
    assert min(bits_apart(picture(seed), picture(seed + 1)) for seed in range(20)) > 2 * NEAR


def test_a_hash_is_the_same_bits_on_every_machine() -> None:
    rows, columns = np.mgrid[:64, :64]
    image = np.repeat((rows * columns % 251).astype(np.uint8)[..., None], 3, axis=2)
    assert look_at(image).hash.hex() == PINNED


PINNED = "800000ff0fff0ff03f003e073c1f387c70f071e371c7738e631c673966736666"


def test_near_pairs_are_those_that_comparing_one_by_one_finds() -> None:
    generator = np.random.default_rng(0)
    hashes = generator.integers(0, 256, (600, 32), dtype=np.uint8)
    for row in range(40):  # some that differ from another in a few bits
        hashes[500 + row] = hashes[row * 7]
        hashes[500 + row, : row // 4] ^= 0b10010001
    bits = np.unpackbits(hashes, axis=1)
    expected = [(i, j) for i in range(600) for j in range(i + 1, 600) if int((bits[i] != bits[j]).sum()) <= 12]
    assert 0 < len(expected) < 40
    assert [tuple(pair) for pair in near_pairs(hashes, within=12).tolist()] == sorted(expected)


def test_no_pictures_have_no_pairs() -> None:
    assert near_pairs(np.empty((0, 32), np.uint8)).shape == (0, 2)


@pytest.mark.parametrize(
    ("image", "constant", "flat"),
    [
        (np.zeros((20, 30, 3), np.uint8), True, True),
        (np.full((20, 30, 3), (10, 200, 30), np.uint8), True, True),
        (np.random.default_rng(0).integers(100, 102, (90, 90, 3), dtype=np.uint8), False, True),
        (picture(0), False, False),
    ],
    ids=["black", "one colour", "faint noise", "a picture"],
)
def test_constant_and_flat_pictures_are_told(image: np.ndarray, constant: bool, flat: bool) -> None:
    look = look_at(image)
    assert (look.constant, look.flat) == (constant, flat)
