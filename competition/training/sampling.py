"""The images of an epoch, their order and size, and the part of each image that is used."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.config.augmentation import SamplingConfig
from competition.data.images import Pixels, resize_image, resize_labels
from competition.data.manifest import Item
from competition.training.seeds import derive

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Sampling:
    """Draws an epoch's images, as a function of the seed and the epoch.

    Args:
        holders: for each class that occurs, the indices of the images with this class; empty to use each image once.
        sizes: (height, width) of equal parts of the training, in order; empty for the cache's size throughout.
        same_epochs: True to repeat the first epoch, so that losses can be compared (for a debug job).
    """

    holders: tuple[Indices, ...] = ()
    sizes: tuple[tuple[int, int], ...] = ()
    same_epochs: bool = False

    @classmethod
    def of(
        cls, config: SamplingConfig, items: Sequence[Item], size: tuple[int, int], *, same_epochs: bool
    ) -> "Sampling":
        """The sampling that `config` describes for these images and the last epoch's `size` (height, width)."""
        holders: tuple[Indices, ...] = ()
        if config.order == "balanced":
            present = np.array([item.pixels for item in items]) > 0
            holders = tuple(np.flatnonzero(column) for column in present.T if column.any())
        sizes = (*config.sizes, size) if config.sizes and not same_epochs else ()
        return cls(holders, sizes, same_epochs)

    def order(self, images: int, *, seed: int, epoch: int) -> Indices:
        """The indices of an epoch's images, as many as there are `images`."""
        rng = np.random.default_rng(derive(seed, "order", 0 if self.same_epochs else epoch))
        if not self.holders:
            return rng.permutation(images)
        classes = rng.integers(len(self.holders), size=images)
        return np.array([rng.choice(self.holders[c]) for c in classes], dtype=np.int64)

    def size(self, epoch: int, epochs: int) -> tuple[int, int] | None:
        """The epoch's size (height, width); None for the cache's. The last epoch always has the last size."""
        if not self.sizes:
            return None
        # counted from the end, so that rounding never takes the last size away from a short run
        from_the_end = (epochs - 1 - epoch) * len(self.sizes) // epochs
        return self.sizes[-1 - from_the_end]


SHUFFLE = Sampling()
"""Each image once, in a new order every epoch."""


def earlier_occurrences(ids: Sequence[str]) -> tuple[int, ...]:
    """For each id, the number of times that it occurs earlier in the list."""
    seen: dict[str, int] = {}
    counts = []
    for image_id in ids:
        counts.append(seen.get(image_id, 0))
        seen[image_id] = counts[-1] + 1
    return tuple(counts)


def resized(image: Pixels, mask: Pixels, size: tuple[int, int]) -> tuple[Pixels, Pixels]:
    """Image and mask at `size` (height, width), as copies that may be written to."""
    return np.array(resize_image(image, size)), np.array(resize_labels(mask, size))


def zoom_to_class(
    image: Pixels, mask: Pixels, classes: Sequence[int], *, scale: float, rng: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """A window of the image (H, W, 3) and mask (H, W) with one of these classes, enlarged to the image's size.

    Draws one of the classes that occur, then one of its pixels, then a window of `scale` (0 to 1) of each side that
    contains the pixel. If none of the classes occurs, the whole image is returned.
    """
    size = (round(scale * mask.shape[0]), round(scale * mask.shape[1]))
    window = _window_with_class(mask, classes, size, rng)
    if window is None:
        return image, mask
    return resized(image[window], mask[window], (mask.shape[0], mask.shape[1]))


def crop(
    image: Pixels, mask: Pixels, size: tuple[int, int], classes: Sequence[int], rng: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """A window of `size` (height, width) of the image (H, W, 3) and mask (H, W), as copies that may be written to.

    It contains a pixel of one of these classes, drawn as in `zoom_to_class`; if none occurs, it lies anywhere.
    """
    window = _window_with_class(mask, classes, size, rng)
    if window is None:
        top, left = (int(rng.integers(length - side + 1)) for length, side in zip(mask.shape, size, strict=True))
        window = slice(top, top + size[0]), slice(left, left + size[1])
    return np.array(image[window]), np.array(mask[window])


def _window_with_class(
    mask: Pixels, classes: Sequence[int], size: tuple[int, int], rng: np.random.Generator
) -> tuple[slice, slice] | None:
    """A window of `size` with a pixel of one of the classes; None if none of them occurs."""
    occurring = [c for c in classes if (mask == c).any()]
    if not occurring:
        return None
    pixels = np.argwhere(mask == occurring[int(rng.integers(len(occurring)))])
    row, column = pixels[int(rng.integers(len(pixels)))].tolist()
    return _interval(row, size[0], mask.shape[0], rng), _interval(column, size[1], mask.shape[1], rng)


def _interval(pixel: int, size: int, length: int, rng: np.random.Generator) -> slice:
    """A random interval of `size` inside 0..length that contains the pixel."""
    size = max(size, 1)
    low, high = max(0, pixel - size + 1), min(pixel, length - size)
    start = int(rng.integers(low, high + 1))
    return slice(start, start + size)
