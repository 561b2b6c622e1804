import numpy as np
import pytest

from competition.config import AugmentConfig
from competition.training.augment import Augmenter

IMAGE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
MASK = np.arange(4 * 6, dtype=np.uint8).reshape(4, 6)
NOTHING = AugmentConfig(horizontal_flip=0, vertical_flip=0, brightness_contrast=0)


@pytest.mark.parametrize(
    ("config", "flip"),
    [
        (NOTHING.model_copy(update={"horizontal_flip": 1.0}), np.fliplr),
        (NOTHING.model_copy(update={"vertical_flip": 1.0}), np.flipud),
    ],
)
def test_image_and_mask_flip_together(config: AugmentConfig, flip: object) -> None:
    image, mask = Augmenter(config)(IMAGE, MASK, seed=1)
    assert np.array_equal(image, flip(IMAGE))  # type: ignore[operator]
    assert np.array_equal(mask, flip(MASK))  # type: ignore[operator]


def test_nothing_happens_at_probability_zero() -> None:
    image, mask = Augmenter(NOTHING)(IMAGE, MASK, seed=1)
    assert np.array_equal(image, IMAGE)
    assert np.array_equal(mask, MASK)


def test_brightness_leaves_the_mask_alone() -> None:
    config = NOTHING.model_copy(update={"brightness_contrast": 1.0})
    image, mask = Augmenter(config)(IMAGE, MASK, seed=1)
    assert not np.array_equal(image, IMAGE)
    assert np.array_equal(mask, MASK)


def test_a_sample_depends_on_its_seed_and_not_on_what_came_before() -> None:
    config = AugmentConfig(horizontal_flip=0.5, vertical_flip=0.5, brightness_contrast=1.0)
    fresh = [Augmenter(config)(IMAGE, MASK, seed=seed)[0] for seed in range(8)]
    used = Augmenter(config)
    backwards = [used(IMAGE, MASK, seed=seed)[0] for seed in reversed(range(8))][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(fresh, backwards, strict=True))
    assert len({image.tobytes() for image in fresh}) == 8
