"""Which images an epoch has, at which size, and which part of them."""

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
    """How an epoch's images are drawn: a function of the seed and the epoch.

    Args:
        holders: for each class that occurs, the places of the images that hold it; none to take each image once.
        sizes: (height, width) of equal parts of the training, in order; none for the cache's size throughout.
        still: every epoch is like the first, which makes their losses comparable (the debug job).
    """

    holders: tuple[Indices, ...] = ()
    sizes: tuple[tuple[int, int], ...] = ()
    still: bool = False

    @classmethod
    def of(cls, config: SamplingConfig, items: Sequence[Item], size: tuple[int, int], *, still: bool) -> "Sampling":
        """What the configuration asks for, for these training images and the size (height, width) of the last epoch."""
        holders: tuple[Indices, ...] = ()
        if config.order == "balanced":
            present = np.array([item.pixels for item in items]) > 0
            holders = tuple(np.flatnonzero(column) for column in present.T if column.any())
        sizes = (*config.sizes, size) if config.sizes and not still else ()
        return cls(holders, sizes, still)

    def order(self, images: int, *, seed: int, epoch: int) -> Indices:
        """The places of an epoch's images, as many as there are images."""
        rng = np.random.default_rng(derive(seed, "order", self.key(epoch)))
        if not self.holders:
            return rng.permutation(images)
        classes = rng.integers(len(self.holders), size=images)
        return np.array([rng.choice(self.holders[c]) for c in classes], dtype=np.int64)

    def key(self, epoch: int) -> int:
        """The epoch that randomness is drawn for."""
        return 0 if self.still else epoch

    def size(self, epoch: int, epochs: int) -> tuple[int, int] | None:
        """The epoch's size (height, width); None for the cache's. The last epoch always has the last size."""
        if not self.sizes:
            return None
        from_the_end = (epochs - 1 - epoch) * len(self.sizes) // epochs
        return self.sizes[-1 - from_the_end]


SHUFFLE = Sampling()
"""Each image once, in a new order every epoch."""


def times_before(ids: Sequence[str]) -> tuple[int, ...]:
    """How often each id stands further ahead in the list."""
    seen: dict[str, int] = {}
    times = []
    for image_id in ids:
        times.append(seen.get(image_id, 0))
        seen[image_id] = times[-1] + 1
    return tuple(times)


def resized(image: Pixels, mask: Pixels, size: tuple[int, int]) -> tuple[Pixels, Pixels]:
    """Both at `size` (height, width), as copies that may be written to."""
    return np.array(resize_image(image, size)), np.array(resize_labels(mask, size))


def crop_around(
    image: Pixels, mask: Pixels, classes: Sequence[int], *, scale: float, rng: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """A part of the image (H, W, 3) and mask (H, W) that has one of these classes, enlarged to the image's size.

    One of the classes that occur is drawn, then one of its pixels, then a window of `scale` of each side that has the
    pixel in it. Where none occurs, the image stays whole.
    """
    size = (round(scale * mask.shape[0]), round(scale * mask.shape[1]))
    found = _around(mask, classes, size, rng)
    if found is None:
        return image, mask
    return resized(image[found], mask[found], (mask.shape[0], mask.shape[1]))


def crop(
    image: Pixels, mask: Pixels, size: tuple[int, int], classes: Sequence[int], rng: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """A part of `size` (height, width) of the image (H, W, 3) and mask (H, W), as copies that may be written to.

    It lies anywhere; where one of these classes occurs, it has a pixel of one, drawn as `crop_around` does.
    """
    found = _around(mask, classes, size, rng)
    if found is None:
        top, left = (int(rng.integers(length - side + 1)) for length, side in zip(mask.shape, size, strict=True))
        found = slice(top, top + size[0]), slice(left, left + size[1])
    return np.array(image[found]), np.array(mask[found])


def _around(
    mask: Pixels, classes: Sequence[int], size: tuple[int, int], rng: np.random.Generator
) -> tuple[slice, slice] | None:
    """A window of `size` that has a pixel of one of the classes; None where none occurs."""
    occurring = [c for c in classes if (mask == c).any()]
    if not occurring:
        return None
    pixels = np.argwhere(mask == occurring[int(rng.integers(len(occurring)))])
    row, column = pixels[int(rng.integers(len(pixels)))].tolist()
    return _window(row, size[0], mask.shape[0], rng), _window(column, size[1], mask.shape[1], rng)


def _window(place: int, size: int, length: int, rng: np.random.Generator) -> slice:
    """A window of `size` that has `place` in it and lies inside 0..length."""
    size = max(size, 1)
    low, high = max(0, place - size + 1), min(place, length - size)
    start = int(rng.integers(low, high + 1))
    return slice(start, start + size)
