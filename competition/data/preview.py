"""The request that `comp augment` sends to a child process, and its answer: images before and after augmentation."""

from dataclasses import dataclass
from pathlib import Path

from competition.config.experiment import Config
from competition.config.settings import Settings
from competition.data.images import Pixels
from competition.data.manifest import Item


@dataclass(frozen=True)
class PreviewSpec:
    """The labelled images to show as training would see them.

    Args:
        epoch: counts from 0; augmentations differ between epochs.
    """

    root: Path
    config: Config
    settings: Settings
    items: tuple[Item, ...]
    epoch: int = 0


@dataclass(frozen=True)
class Previewed:
    """An image before and after augmentation, uint8 (H, W, 3), with its mask, uint8 (H, W), at the size of training.

    Args:
        share: the part of the image itself where another image was blended in, 0 to 1; 1 without blending.
    """

    id: str
    image: Pixels
    mask: Pixels
    new_image: Pixels
    new_mask: Pixels
    share: float
