"""Random changes of a training image, and of its mask with it."""

import albumentations
import numpy as np
from numpy.typing import NDArray

from competition.config import AugmentConfig

Pixels = NDArray[np.uint8]


class Augmenter:
    """Flips, and changes of brightness and contrast, drawn from a seed that each call brings along.

    albumentations keeps one random state per pipeline, so what a sample gets would depend on which worker process it
    met and on what came before it; seeding for every sample makes it depend on nothing else.
    """

    def __init__(self, config: AugmentConfig) -> None:
        self._pipeline = albumentations.Compose(
            [
                albumentations.HorizontalFlip(p=config.horizontal_flip),
                albumentations.VerticalFlip(p=config.vertical_flip),
                albumentations.RandomBrightnessContrast(
                    brightness_limit=config.brightness, contrast_limit=config.contrast, p=config.brightness_contrast
                ),
            ]
        )

    def __call__(self, image: Pixels, mask: Pixels, *, seed: int) -> tuple[Pixels, Pixels]:
        """The image (H, W, 3) and its mask (H, W), both uint8, changed as `seed` decides."""
        self._pipeline.set_random_seed(seed)
        changed = self._pipeline(image=image, mask=mask)
        return changed["image"], changed["mask"]
