"""Random augmentation of a training image together with its mask."""

import hashlib
import random

import albumentations
import numpy as np
import torch
from torchvision.transforms import v2

from competition.config.augmentation import AugmentConfig, Engine, Transforms
from competition.config.settings import IGNORE_INDEX
from competition.data.images import Pixels
from competition.errors import ConfigError
from competition.training.augmenting.pipeline import build_transforms, through_torchvision
from competition.training.augmenting.policies import policy_entries
from competition.training.augmenting.presets import entry, pipeline_entries

_MEAN = [124, 116, 104]
"""ImageNet's mean colour, which normalisation turns into 0."""
_INCREMENT = 0xDA3E39CB94B95BDB5851F42D4C957F2D
"""Any odd number; all samples share one cycle of 2**128 random numbers, and each starts at a place of its own."""


class Augmenter:
    """Augments images: first the pipeline of a configuration, then its policy, then its holes.

    The result depends on the image, the mask and the seed of the call alone.
    """

    def __init__(self, config: AugmentConfig) -> None:
        entries = pipeline_entries(config)
        self._torchvision = None
        if config.engine is Engine.TORCHVISION:
            built = build_transforms(entries, config.engine, source="augment.pipeline")
            self._torchvision = v2.Compose(built) if built else None
            entries = []
        transforms = [
            *build_transforms(entries, Engine.ALBUMENTATIONS, source="augment.pipeline"),
            *build_transforms(policy_entries(config), Engine.ALBUMENTATIONS, source="augment.policy"),
            *build_transforms(_holes(config), Engine.ALBUMENTATIONS, source="augment"),
        ]
        # albumentations 2.0.8 keeps random state in its pipelines, and loader workers repeat it in every epoch: so the
        # state is set for each sample. Not by Compose.set_random_seed: it gives each transform two new generators in
        # equal states, which is slow, and makes two transforms of p=0.5 always happen together.
        self._numbers, self._python = np.random.Generator(np.random.PCG64(0)), random.Random(0)
        self._pipeline = albumentations.Compose(transforms) if transforms else None
        if self._pipeline is not None:
            self._pipeline.set_random_state(self._numbers, self._python)

    def __call__(self, image: Pixels, mask: Pixels, *, seed: int) -> tuple[Pixels, Pixels]:
        """The augmented image (H, W, 3) and mask (H, W), both uint8, for a 32-bit `seed`.

        Raises:
            ConfigError: a transform changed the size or the dtype.
        """
        shape = image.shape
        if self._torchvision is not None:
            torch.default_generator.manual_seed(seed)  # the only generator that torchvision draws from
            image, mask = through_torchvision(self._torchvision, image, mask)
        if self._pipeline is not None:
            self._numbers.bit_generator.state = _pcg64(seed)
            self._python.seed(seed)
            changed = self._pipeline(image=image, mask=mask)
            image, mask = changed["image"], changed["mask"]
        if image.shape != shape or mask.shape != shape[:2] or image.dtype != np.uint8 or mask.dtype != np.uint8:
            raise ConfigError(
                f"augment.pipeline: an image of {shape[0]}x{shape[1]} came out as {image.dtype} {tuple(image.shape)}, "
                f"its mask as {mask.dtype} {tuple(mask.shape)}; training needs the same size and type as before.",
            )
        return image, mask


def _pcg64(seed: int) -> dict[str, object]:
    """A state of PCG64 for this seed."""
    # numpy's SeedSequence would take many times longer, once per sample
    digest = hashlib.blake2b(seed.to_bytes(4, "little"), digest_size=16).digest()
    state = {"state": int.from_bytes(digest, "little"), "inc": _INCREMENT}
    return {"bit_generator": "PCG64", "state": state, "has_uint32": 0, "uinteger": 0}


def _holes(config: AugmentConfig) -> Transforms:
    """Cutout (DeVries and Taylor 2017, arXiv:1708.04552) and GridMask (Chen et al. 2020, arXiv:2001.04086)."""
    mask_fill = {"keep": None, "void": IGNORE_INDEX}
    holes = []
    if config.cutout:
        sides = {"hole_height_range": [0.1, 0.4], "hole_width_range": [0.1, 0.4]}
        fill = {"fill": _MEAN, "fill_mask": mask_fill[config.cutout_mask]}
        holes.append(entry("CoarseDropout", num_holes_range=[1, 2], **sides, **fill, p=config.cutout))
    if config.gridmask:
        fill = {"fill": _MEAN, "fill_mask": mask_fill[config.gridmask_mask]}
        holes.append(entry("GridDropout", ratio=0.5, holes_number_xy=[5, 5], **fill, p=config.gridmask))
    return holes
