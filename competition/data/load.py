"""Reading the images and labels of the manifest, at their own size; files that have changed since are refused."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from competition.config.settings import DataSettings, Settings
from competition.data.images import Pixels, decode_image, read_bytes
from competition.data.manifest import Item
from competition.data.readers.choose import reader_of
from competition.data.readers.source import Reader
from competition.errors import DataError

CHANGED_HINT = "Put the old files back, or index the data again: `comp init`, without options, in this folder."


@dataclass(frozen=True)
class Loader:
    """Reads the images and labels that competition.yaml describes, in any format; threads may share one."""

    settings: Settings
    root: Path
    reader: Reader

    def image(self, item: Item) -> Pixels:
        """The image as uint8 RGB (H, W, 3).

        Raises:
            DataError: the file cannot be read, or has changed since it was indexed.
        """
        path = image_path(item, self.settings.data, self.root)
        data = read_bytes(path)
        if hashlib.sha256(data).hexdigest() != item.image_sha256:
            raise DataError(f"{path} has changed since it was indexed.", hint=CHANGED_HINT)
        return decode_image(data, path)

    def labels(self, item: Item) -> Pixels:
        """The labels of a labelled image as uint8 (H, W): class indices, and IGNORE_INDEX for void.

        Raises:
            DataError: they cannot be read, or have changed since they were indexed.
        """
        labels = self.reader.read_labels(item.id, item.mask, size=(item.height, item.width))
        if labels.sha256 != item.mask_sha256:
            raise DataError(
                f"The label {item.mask} of {item.image} has changed since it was indexed.", hint=CHANGED_HINT
            )
        return labels.pixels


def open_loader(settings: Settings, root: Path) -> Loader:
    """A loader of the competition's data; relative paths start at `root`."""
    return Loader(settings, root, reader_of(settings, root))


def image_path(item: Item, data: DataSettings, root: Path) -> Path:
    """The path of the image's file.

    Raises:
        DataError: it is a test image, and competition.yaml names no folder of test images.
    """
    folder = data.images if item.is_labelled else data.test_images
    if folder is None:
        raise DataError(f"{item.image} is a test image, and competition.yaml names no folder of test images.")
    return root / folder / item.image
