"""Random changes of a training image, and of its mask with it."""

import hashlib
import random

import albumentations
import numpy as np
import torch
from torchvision.transforms import v2

from competition.config.augmentation import CLASS_NAME, AugmentConfig, Engine, Transforms
from competition.config.settings import IGNORE_INDEX
from competition.data.images import Pixels
from competition.errors import CompError, ConfigError
from competition.training.augmenting.pipeline import build_transforms, through_torchvision
from competition.training.augmenting.policies import policy
from competition.training.augmenting.presets import entry, preset

_MEAN = [124, 116, 104]
"""ImageNet's mean colour, which becomes 0 when an image is normalised."""


class Augmenter:
    """The pipeline, then the policy, then the holes of a configuration, drawn from a seed that each call brings along.

    albumentations keeps random states in its pipelines, so what a sample gets would depend on which worker process it
    met and on what came before it; seeding for every sample makes it depend on nothing else. `Compose.set_random_seed`
    would give each transform two new generators in equal states: slow, and two transforms with p=0.5 would always
    happen together. Here the whole pipeline shares one pair of generators, whose states are set for each sample.
    """

    def __init__(self, config: AugmentConfig) -> None:
        chosen = _pipeline(config)
        self._torchvision = None
        if config.engine is Engine.TORCHVISION:
            built = build_transforms(chosen, config.engine, source="augment.pipeline")
            self._torchvision = v2.Compose(built) if built else None
            chosen = []
        transforms = [
            *build_transforms(chosen, Engine.ALBUMENTATIONS, source="augment.pipeline"),
            *build_transforms(policy(config), Engine.ALBUMENTATIONS, source="augment.policy"),
            *build_transforms(_holes(config), Engine.ALBUMENTATIONS, source="augment"),
        ]
        self._numbers, self._python = np.random.Generator(np.random.PCG64(0)), random.Random(0)
        self._pipeline = albumentations.Compose(transforms) if transforms else None
        if self._pipeline is not None:
            self._pipeline.set_random_state(self._numbers, self._python)

    def __call__(self, image: Pixels, mask: Pixels, *, seed: int) -> tuple[Pixels, Pixels]:
        """The image (H, W, 3) and its mask (H, W), both uint8, changed as `seed` (32 bits) decides.

        Raises:
            ConfigError: they come out in another form than they went in.
        """
        form = image.shape
        if self._torchvision is not None:
            torch.default_generator.manual_seed(seed)
            image, mask = through_torchvision(self._torchvision, image, mask)
        if self._pipeline is not None:
            self._numbers.bit_generator.state = _pcg64(seed)
            self._python.seed(seed)
            changed = self._pipeline(image=image, mask=mask)
            image, mask = changed["image"], changed["mask"]
        if image.shape != form or mask.shape != form[:2] or image.dtype != np.uint8 or mask.dtype != np.uint8:
            raise ConfigError(
                f"augment.pipeline: an image of {form[0]}x{form[1]} came out as {image.dtype} {tuple(image.shape)}, "
                f"its mask as {mask.dtype} {tuple(mask.shape)}; training needs the size and type that went in.",
            )
        return image, mask


def check(config: AugmentConfig, size: tuple[int, int], *, samples: int = 8) -> None:
    """Run a few made-up images of `size` (height, width) through the augmentation.

    Raises:
        ConfigError: it cannot be built, cannot be run, or changes the size.
    """
    augment = Augmenter(config)
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*size, 3), np.uint8)
    mask = rng.integers(0, 2, size, np.uint8)
    for seed in range(samples):
        error = _failure(augment, image, mask, seed)
        if isinstance(error, CompError):
            raise error
        if error is not None:
            where = _first_failing(config, image, mask, seed)
            raise ConfigError(f"augment{where} cannot be run: {type(error).__name__}: {error}") from error


def _failure(augment: Augmenter, image: Pixels, mask: Pixels, seed: int) -> Exception | None:
    """Why the image cannot be augmented; None if it can."""
    try:
        augment(image, mask, seed=seed)
    except Exception as error:  # noqa: BLE001 - any transform of two libraries, with arguments that anybody wrote
        return error
    return None


def _first_failing(config: AugmentConfig, image: Pixels, mask: Pixels, seed: int) -> str:
    """`.pipeline: NAME`, the transform after which the pipeline fails; an empty string where the pipeline is not it.

    What comes first draws its random numbers first, so that a part of the pipeline does what it does in the whole.
    """
    entries = _pipeline(config)
    for number, entered in enumerate(entries, start=1):
        part = Augmenter(AugmentConfig(engine=config.engine, pipeline=entries[:number]))
        if not isinstance(_failure(part, image, mask, seed), CompError | None):
            return f".pipeline: {entered[CLASS_NAME]}"
    return ""


def _pipeline(config: AugmentConfig) -> Transforms:
    return preset(config) if isinstance(config.pipeline, str) else config.pipeline


def _pcg64(seed: int) -> dict[str, object]:
    """A state of PCG64 that is a function of the seed, at a fraction of the cost of numpy's SeedSequence."""
    digest = hashlib.blake2b(seed.to_bytes(4, "little"), digest_size=16).digest()
    state = {"state": int.from_bytes(digest, "little"), "inc": _INCREMENT}
    return {"bit_generator": "PCG64", "state": state, "has_uint32": 0, "uinteger": 0}


_INCREMENT = 0xDA3E39CB94B95BDB5851F42D4C957F2D
"""Any odd number; all samples walk the same cycle of 2**128 numbers, each from a place of its own."""


def _holes(config: AugmentConfig) -> Transforms:
    """Cutout (DeVries and Taylor 2017, arXiv:1708.04552) and GridMask (Chen et al. 2020, arXiv:2001.04086)."""
    void = {"keep": None, "void": IGNORE_INDEX}
    holes = []
    if config.cutout:
        sides = {"hole_height_range": [0.1, 0.4], "hole_width_range": [0.1, 0.4]}
        fill = {"fill": _MEAN, "fill_mask": void[config.cutout_mask]}
        holes.append(entry("CoarseDropout", num_holes_range=[1, 2], **sides, **fill, p=config.cutout))
    if config.gridmask:
        fill = {"fill": _MEAN, "fill_mask": void[config.gridmask_mask]}
        holes.append(entry("GridDropout", ratio=0.5, holes_number_xy=[5, 5], **fill, p=config.gridmask))
    return holes
