"""Checks of an augmentation before training: it runs, and it is random where it must be and nowhere else."""

from copy import deepcopy

import numpy as np
import torch

from competition.config.augmentation import CLASS_NAME, AugmentConfig
from competition.data.images import Pixels
from competition.errors import CompError, ConfigError
from competition.training.augmenting.augmenter import Augmenter
from competition.training.augmenting.presets import pipeline_entries
from competition.training.seeds import derive

_IMAGES = 8
_SEEDS = 6


def check_augmentation(config: AugmentConfig, size: tuple[int, int]) -> None:
    """Run a few random images of `size` (height, width) through the augmentation.

    Raises:
        ConfigError: it cannot be built, fails, or changes the size.
    """
    augment = Augmenter(config)
    image, mask = _random_image(size)
    for seed in range(_IMAGES):
        error = _error_of(augment, image, mask, seed)
        if isinstance(error, CompError):
            raise error
        if error is not None:
            where = _failing_transform(config, image, mask, seed)
            raise ConfigError(f"augment{where} cannot be run: {type(error).__name__}: {error}") from error


def check_randomness(config: AugmentConfig, augment: Augmenter, size: tuple[int, int]) -> None:
    """Do nothing if augmented samples depend on their seeds and on nothing else. Takes about ten milliseconds.

    Args:
        size: (height, width) of the images to try.

    Raises:
        ConfigError: a transform draws random numbers from elsewhere.
        CompError: two epochs, or two loader processes, would augment alike.
    """
    # torchvision draws from torch's generator, and so do the first weights, which are made after this
    with torch.random.fork_rng(devices=[]):
        image, mask = _random_image(size)
        _check_repeatable(augment, image, mask)
        _check_seeded(config, image, mask)


def _check_repeatable(augment: Augmenter, image: Pixels, mask: Pixels) -> None:
    # A copy stands for another loader process, which is a fork of this one; the reverse order, for another order of
    # samples.
    copy = deepcopy(augment)
    samples = {seed: augment(image, mask, seed=seed) for seed in range(_SEEDS)}
    for seed in reversed(range(_SEEDS)):
        if any(not np.array_equal(a, b) for a, b in zip(samples[seed], copy(image, mask, seed=seed), strict=True)):
            raise ConfigError(
                "augment.pipeline: the same seed gave two different images, so no run could be repeated.",
                hint="Remove the transform that draws random numbers of its own.",
            )


def _check_seeded(config: AugmentConfig, image: Pixels, mask: Pixels) -> None:
    # With an augmentation that changes every image: the configured one may rightly leave some as they are.
    augment = Augmenter(AugmentConfig(engine=config.engine, brightness_contrast=1.0))
    copy = deepcopy(augment)
    first = augment(image, mask, seed=derive(0, 0, "image"))[0]
    next_epoch = augment(image, mask, seed=derive(0, 1, "image"))[0]
    other_process = copy(image, mask, seed=derive(0, 0, "another image"))[0]
    if np.array_equal(first, next_epoch) or np.array_equal(first, other_process):
        raise CompError(
            f"Two epochs or two loader processes would augment alike: the seeding of {config.engine} has changed.",
            hint="Install the version that comp was tested with: pip install 'albumentations<2.1' torchvision.",
        )


def _random_image(size: tuple[int, int]) -> tuple[Pixels, Pixels]:
    """Noise, uint8 (H, W, 3), with a random mask of two classes, uint8 (H, W)."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (*size, 3), np.uint8), rng.integers(0, 2, size, np.uint8)


def _error_of(augment: Augmenter, image: Pixels, mask: Pixels, seed: int) -> Exception | None:
    """The error of augmenting the image; None if there is none."""
    try:
        augment(image, mask, seed=seed)
    except Exception as error:  # noqa: BLE001 - any transform of two libraries, with any arguments
        return error
    return None


def _failing_transform(config: AugmentConfig, image: Pixels, mask: Pixels, seed: int) -> str:
    """`.pipeline: NAME` of the first transform that fails; an empty string if the pipeline alone does not fail."""
    entries = pipeline_entries(config)
    for number, entry in enumerate(entries, start=1):
        # transforms draw their random numbers in order, so the first ones do here what they do in the whole pipeline
        part = Augmenter(AugmentConfig(engine=config.engine, pipeline=entries[:number]))
        if not isinstance(_error_of(part, image, mask, seed), CompError | None):
            return f".pipeline: {entry[CLASS_NAME]}"
    return ""
