import numpy as np
import pytest

from competition.data.checks.hashes import look_at
from competition.data.checks.series import film_likeness, find_series
from competition.data.manifest import Manifest
from tests.data.checks.making import film, looks_of, picture
from tests.data.making import item

FILM = [look_at(frame) for frame in film(40)]
PICTURES = [look_at(picture(seed)) for seed in range(40)]


def named(*names: str) -> Manifest:
    return Manifest(tuple(item(name) for name in names))


def test_frames_in_the_order_of_their_numbers_are_a_film() -> None:
    manifest = named(*(f"shot_{30 * k}" for k in range(40)), "cover")
    (found,) = find_series(manifest, looks_of(manifest, [PICTURES[0], *FILM]))  # `cover` sorts before `shot`
    assert found.name == "shot_"
    assert [i.id for i in found.items] == [f"shot_{30 * k}" for k in range(40)]


@pytest.mark.parametrize("looks", [PICTURES, sorted(FILM, key=lambda look: look.hash[::-1]), FILM[:8]])
def test_other_pictures_with_numbers_are_none(looks: list) -> None:  # type: ignore[type-arg]
    manifest = named(*(f"photo{k}" for k in range(len(looks))))
    shuffled = [looks[k] for k in np.random.default_rng(1).permutation(len(looks))]
    assert not find_series(manifest, looks_of(manifest, shuffled))


def test_pictures_that_are_only_sorted_by_kind_are_none() -> None:
    generator = np.random.default_rng(0)
    kinds = [picture(100), picture(200)]
    images = [np.clip(kind + generator.normal(0, 60, kind.shape), 0, 255) for kind in kinds for _ in range(30)]
    manifest = named(*(f"photo{k}" for k in range(60)))
    assert not find_series(manifest, looks_of(manifest, [look_at(image.astype(np.uint8)) for image in images]))


def test_likeness_is_the_share_of_comparisons_won() -> None:
    def ramp(step: int) -> np.ndarray:
        bits = np.zeros((20, 256), np.uint8)
        for row in range(20):
            bits[row, : step * row] = 1
        return np.packbits(bits, axis=1)

    assert film_likeness(ramp(2)) == 1.0
    assert film_likeness(ramp(0)) == 0.5
