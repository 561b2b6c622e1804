"""Proof, before anything is trained, that augmentation is as random as it should be, and no more."""

from copy import deepcopy

import numpy as np
import torch

from competition.config.augmentation import AugmentConfig
from competition.errors import CompError, ConfigError
from competition.training.augmenting.augment import Augmenter
from competition.training.seeds import derive

_SAMPLES = 6


def check_randomness(config: AugmentConfig, augment: Augmenter, size: tuple[int, int]) -> None:
    """Do nothing if samples depend on their seeds, and on nothing else. Takes some ten milliseconds.

    A copy of the augmenter stands for another loader process, which is a fork of this one. That two epochs and two
    processes differ is tried with an augmentation that changes every image; the configured one may rightly leave some
    alone.

    Args:
        size: (height, width) to try it at.

    Raises:
        ConfigError: a transform draws numbers from somewhere else.
        CompError: two epochs, or two processes, would augment alike.
    """
    with torch.random.fork_rng(devices=[]):  # torchvision draws from it, and so do the first weights afterwards
        _check(config, augment, size)


def _check(config: AugmentConfig, augment: Augmenter, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    image, mask = rng.integers(0, 256, (*size, 3), np.uint8), rng.integers(0, 2, size, np.uint8)
    here, there = augment, deepcopy(augment)
    forwards = {seed: here(image, mask, seed=seed) for seed in range(_SAMPLES)}
    for seed in reversed(range(_SAMPLES)):
        if any(not np.array_equal(a, b) for a, b in zip(forwards[seed], there(image, mask, seed=seed), strict=True)):
            raise ConfigError(
                "augment.pipeline: the same seed gave two different images, so no run could be repeated.",
                hint="A transform draws random numbers of its own; leave it out.",
            )
    here = Augmenter(AugmentConfig(engine=config.engine, brightness_contrast=1.0))
    there = deepcopy(here)
    first = here(image, mask, seed=derive(0, 0, "image"))[0]
    next_epoch = here(image, mask, seed=derive(0, 1, "image"))[0]
    other_process = there(image, mask, seed=derive(0, 0, "another image"))[0]
    if np.array_equal(first, next_epoch) or np.array_equal(first, other_process):
        raise CompError(
            f"Two epochs or two loader processes would augment alike: the seeding of {config.engine} has changed.",
            hint="Install the version that comp was tested with: pip install 'albumentations<2.1' torchvision.",
        )
