import numpy as np
import pytest

from competition.data.checks.image_hashes import hash_image
from competition.data.checks.series import find_series, frame_order
from competition.data.manifest import Manifest
from tests.data.checks.making import hashes_of, picture, video
from tests.data.making import item

VIDEO = [hash_image(frame) for frame in video(40)]
PHOTOS = [hash_image(picture(seed)) for seed in range(40)]


def named(*names: str) -> Manifest:
    return Manifest(tuple(item(name) for name in names))


def test_frames_in_the_order_of_their_numbers_are_a_film() -> None:
    manifest = named(*(f"shot_{30 * k}" for k in range(40)), "cover")
    (found,) = find_series(manifest, hashes_of(manifest, [PHOTOS[0], *VIDEO]))  # `cover` sorts before `shot`
    assert found.name == "shot_"
    assert [i.id for i in found.items] == [f"shot_{30 * k}" for k in range(40)]


@pytest.mark.parametrize("hashes", [PHOTOS, sorted(VIDEO, key=lambda h: h.bits[::-1]), VIDEO[:8]])
def test_other_pictures_with_numbers_are_none(hashes: list) -> None:  # type: ignore[type-arg]
    manifest = named(*(f"photo{k}" for k in range(len(hashes))))
    shuffled = [hashes[k] for k in np.random.default_rng(1).permutation(len(hashes))]
    assert not find_series(manifest, hashes_of(manifest, shuffled))


def test_pictures_that_are_only_sorted_by_kind_are_none() -> None:
    generator = np.random.default_rng(0)
    kinds = [picture(100), picture(200)]
    images = [np.clip(kind + generator.normal(0, 60, kind.shape), 0, 255) for kind in kinds for _ in range(30)]
    manifest = named(*(f"photo{k}" for k in range(60)))
    assert not find_series(manifest, hashes_of(manifest, [hash_image(image.astype(np.uint8)) for image in images]))


def test_likeness_is_the_share_of_comparisons_won() -> None:
    def ramp(step: int) -> np.ndarray:
        bits = np.zeros((20, 256), np.uint8)
        for row in range(20):
            bits[row, : step * row] = 1
        return np.packbits(bits, axis=1)

    assert frame_order(ramp(2)) == 1.0
    assert frame_order(ramp(0)) == 0.5
