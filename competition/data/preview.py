"""Images before and after augmentation: what is asked of a child process, and what it answers."""

from dataclasses import dataclass
from pathlib import Path

from competition.config.experiment import Config
from competition.config.settings import Settings
from competition.data.images import Pixels
from competition.data.manifest import Item


@dataclass(frozen=True)
class PreviewSpec:
    """Which labelled images to show as training would see them.

    Args:
        epoch: counts from 0.
    """

    root: Path
    config: Config
    settings: Settings
    items: tuple[Item, ...]
    epoch: int = 0


@dataclass(frozen=True)
class Previewed:
    """An image before and after: uint8 (H, W, 3), its mask uint8 (H, W), at the size of training.

    Args:
        share: of the image itself, where another was blended in; 0 to 1.
    """

    id: str
    image: Pixels
    mask: Pixels
    new_image: Pixels
    new_mask: Pixels
    share: float
