"""One image or mask of the manifest, at its own size."""

from pathlib import Path

from competition.data.images import Pixels, read_image, read_mask, to_labels
from competition.data.manifest import Item
from competition.data.readers.folders import Folders, folders_of
from competition.errors import DataError
from competition.settings import Settings

CHANGED = "Put the old files back, or index the data anew: `comp init`, without options, in the competition's folder."


def load_image(item: Item, settings: Settings, root: Path) -> Pixels:
    """The image as uint8 RGB (H, W, 3).

    Raises:
        DataError: it cannot be read, or has another size than when it was indexed.
    """
    path = image_path(item, folders_of(settings, root))
    image = read_image(path)
    _check_size(path, image, item)
    return image


def load_mask(item: Item, settings: Settings, root: Path) -> Pixels:
    """The labels of a labelled image as uint8 (H, W): class indices, and IGNORE_INDEX for void.

    Raises:
        DataError: the mask cannot be read, or has other values or another size than when it was indexed.
    """
    path = mask_path(item, folders_of(settings, root))
    labels = to_labels(read_mask(path), classes=len(settings.classes), void=settings.void)
    _check_size(path, labels, item)
    return labels


def image_path(item: Item, folders: Folders) -> Path:
    """Where the image lies."""
    folder = folders.images if item.is_labelled else folders.test_images
    if folder is None:
        raise DataError(f"{item.image} is a test image, and competition.yaml names no folder of test images.")
    return folder / item.image


def mask_path(item: Item, folders: Folders) -> Path:
    """Where the mask of a labelled image lies."""
    return folders.masks / item.mask


def _check_size(path: Path, pixels: Pixels, item: Item) -> None:
    height, width = pixels.shape[:2]
    if (height, width) != (item.height, item.width):
        raise DataError(
            f"{path} is {height}x{width} now and was {item.height}x{item.width} (height x width) when it was indexed.",
            hint=CHANGED,
        )
