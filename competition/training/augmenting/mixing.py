"""Training images made from two images: Mixup, CutMix, and copy-paste of rare classes."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from competition.config.augmentation import MixConfig
from competition.data.images import Pixels


class Mixed(NamedTuple):
    """A batch after mixing.

    Args:
        images: uint8 (N, H, W, 3).
        masks: uint8 (N, H, W).
        partners: masks of the images that were blended in, uint8 (N, H, W); None if none were.
        share: weight of the images that `masks` belong to, 0 to 1.
    """

    images: Pixels
    masks: Pixels
    partners: Pixels | None = None
    share: float = 1.0


def mix(config: MixConfig, images: Pixels, masks: Pixels, rng: np.random.Generator) -> Mixed:
    """The batch after Mixup, CutMix or neither, as `rng` decides. The arguments are not changed."""
    draw = rng.random()
    if len(images) < 2 or draw >= config.mixup + config.cutmix:
        return Mixed(images, masks)
    partner = _partners(len(images), rng)
    if draw < config.mixup:
        return mixup(images, masks, partner, share=float(rng.beta(config.mixup_alpha, config.mixup_alpha)))
    return cutmix(images, masks, partner, share=float(rng.beta(config.cutmix_alpha, config.cutmix_alpha)), rng=rng)


def mixup(images: Pixels, masks: Pixels, partner: Sequence[int], *, share: float) -> Mixed:
    """Each image blended with its partner's (Zhang et al. 2018, arXiv:1710.09412); both masks stay targets."""
    blended = images * np.float32(share) + images[list(partner)] * np.float32(1 - share)
    return Mixed(np.rint(blended).astype(np.uint8), masks, masks[list(partner)], share)


def cutmix(images: Pixels, masks: Pixels, partner: Sequence[int], *, share: float, rng: np.random.Generator) -> Mixed:
    """Each image with a box of 1 - `share` of its area from the partner (Yun et al. 2019, arXiv:1905.04899).

    The masks get the same box, so each pixel has one label and the loss needs no weights. As in the paper, the centre
    of the box may lie anywhere, and the part outside the image is cut off.
    """
    height, width = masks.shape[1:]
    side = (1 - share) ** 0.5
    rows, columns = (_span(length, round(side * length), rng) for length in (height, width))
    images, masks = images.copy(), masks.copy()
    images[:, rows, columns] = images[list(partner), rows, columns]
    masks[:, rows, columns] = masks[list(partner), rows, columns]
    return Mixed(images, masks)


def paste(image: Pixels, mask: Pixels, donor: tuple[Pixels, Pixels], classes: Sequence[int]) -> tuple[Pixels, Pixels]:
    """The image (H, W, 3) and mask (H, W) with the donor's pixels of these classes on top, at the same positions.

    Copy-paste (Ghiasi et al. 2021, arXiv:2012.07177) for semantic labels.
    """
    donor_image, donor_mask = donor
    pasted = np.isin(donor_mask, classes)
    return np.where(pasted[..., None], donor_image, image), np.where(pasted, donor_mask, mask)


def two_target_loss(
    criterion: Callable[[Tensor, Tensor], Tensor], logits: Tensor, targets: Sequence[Tensor], share: float
) -> Tensor:
    """The loss of `logits` (N, C, H, W) against one or two `targets`, each (N, H, W).

    Of two targets the first has the weight `share`, the second 1 - `share`.
    """
    # Losses are blended, not labels: so void in one mask leaves the other mask's label in force.
    first, *second = (criterion(logits, target) for target in targets)
    return share * first + (1 - share) * second[0] if second else first


def _partners(images: int, rng: np.random.Generator) -> list[int]:
    """The index of another image for each image: its successor in a random cycle."""
    order = rng.permutation(images)
    partner = np.empty(images, dtype=np.int64)
    partner[order] = np.roll(order, -1)
    return partner.tolist()


def _span(length: int, size: int, rng: np.random.Generator) -> slice:
    start = int(rng.integers(length)) - size // 2
    return slice(max(start, 0), min(start + size, length))
