"""How a network looks at an image: whole or window by window, once or in several views that are averaged."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial

import torch
from torch import Tensor
from torch.nn import functional as F

from competition.config.experiment import PredictConfig, TestTimeAugmentation
from competition.config.fields import STRIDE
from competition.training.seeds import without_gradients

PredictFunction = Callable[[Tensor], Tensor]
"""Logits, float32 (N, C, h, w), of pixels (N, h, w, 3): uint8, or float of the same range."""

_SYMMETRIES: dict[TestTimeAugmentation, tuple[tuple[int, bool], ...]] = {
    TestTimeAugmentation.NONE: ((0, False),),
    TestTimeAugmentation.HFLIP: ((0, False), (0, True)),
    TestTimeAugmentation.FLIPS: ((0, False), (0, True), (2, False), (2, True)),
    TestTimeAugmentation.D4: tuple((turns, mirrored) for turns in range(4) for mirrored in (False, True)),
}
"""Each view is a number of quarter turns and whether the image is mirrored before them."""

_SIGMA = 1 / 8
"""Of the Gaussian, in windows (Isensee et al., "nnU-Net", Nature Methods 18, 2021)."""


def looking(network: PredictFunction, config: PredictConfig, *, batch_size: int) -> PredictFunction:
    """The network, looking the way that `config` says; with the default it is the network itself.

    Args:
        batch_size: the most windows that go through the network at once.
    """
    look = network
    views = [(scale, *symmetry) for scale in config.scales for symmetry in _SYMMETRIES[config.tta]]
    if views != [(1.0, 0, False)]:
        look = partial(_average, look, views)
    if config.window is not None:
        look = partial(_windows, look, config.window, config.overlap, batch_size)
    return look


def sizes(config: PredictConfig, size: tuple[int, int]) -> list[tuple[int, int]]:
    """The (height, width) of everything that a network sees of images of `size`, each once."""
    whole = size if config.window is None else (min(config.window[0], size[0]), min(config.window[1], size[1]))
    scaled = [_scaled_size(whole, scale) for scale in config.scales]
    turned = [(width, height) for height, width in scaled] if config.tta is TestTimeAugmentation.D4 else []
    return list(dict.fromkeys([*scaled, *turned]))


def interpolated(values: Tensor, size: tuple[int, int]) -> Tensor:
    """Values (N, C, h, w) as (N, C, H, W), bilinearly between pixel centres."""
    with without_gradients():
        return F.interpolate(values, size=size, mode="bilinear", align_corners=False)


def starts(length: int, window: int, overlap: float) -> list[int]:
    """Where windows begin that cover `length` pixels, evenly spaced, neighbours sharing at least `overlap` of one."""
    if length <= window:
        return [0]
    steps = math.ceil((length - window) / max(1.0, window * (1 - overlap)))
    return [round(step * (length - window) / steps) for step in range(steps + 1)]


def _average(network: PredictFunction, views: Sequence[tuple[float, int, bool]], pixels: Tensor) -> Tensor:
    """The logarithm of the mean of the views' probabilities: a softmax gives the mean back."""
    total: Tensor | None = None
    for scale, turns, mirrored in views:
        seen = _scaled(pixels, scale)
        seen = torch.rot90(seen.flip(2) if mirrored else seen, turns, (1, 2))
        found = network(seen.contiguous()).softmax(1)
        found = torch.rot90(found, -turns, (2, 3))
        found = found.flip(3) if mirrored else found
        if found.shape[2:] != pixels.shape[1:3]:
            found = interpolated(found, (pixels.shape[1], pixels.shape[2]))
        total = found if total is None else total + found
    assert total is not None
    return (total / len(views)).clamp(min=torch.finfo(total.dtype).tiny).log()


def _scaled(pixels: Tensor, scale: float) -> Tensor:
    """The pixels at about `scale` times their size: the nearest that the network takes."""
    if scale == 1:
        return pixels
    size = _scaled_size((pixels.shape[1], pixels.shape[2]), scale)
    channels_first = pixels.permute(0, 3, 1, 2).float()
    resized = F.interpolate(channels_first, size=size, mode="bilinear", align_corners=False, antialias=True)
    return resized.permute(0, 2, 3, 1)


def _scaled_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    if scale == 1:
        return size
    height, width = (max(STRIDE, round(side * scale / STRIDE) * STRIDE) for side in size)
    return height, width


def _windows(look: PredictFunction, window: tuple[int, int], overlap: float, batch_size: int, pixels: Tensor) -> Tensor:
    """Each pixel's mean over the windows that see it, weighted by a Gaussian around each window's middle.

    At most `batch_size` windows are held at a time.
    """
    size = (min(window[0], pixels.shape[1]), min(window[1], pixels.shape[2]))
    images = [_one_image(look, size, overlap, batch_size, image) for image in pixels]
    return images[0][None] if len(images) == 1 else torch.stack(images)


def _one_image(look: PredictFunction, size: tuple[int, int], overlap: float, batch_size: int, image: Tensor) -> Tensor:
    height, width = size
    weight = _gaussian(size).to(image.device)
    places = [(y, x) for y in starts(image.shape[0], height, overlap) for x in starts(image.shape[1], width, overlap)]
    total, weights = None, torch.zeros(image.shape[:2], device=image.device)
    for some in _batches(places, batch_size):
        found = look(torch.stack([image[y : y + height, x : x + width] for y, x in some]))
        if total is None:
            total = torch.zeros((found.shape[1], *image.shape[:2]), device=image.device)
        for (y, x), logits in zip(some, found, strict=True):
            total[:, y : y + height, x : x + width] += logits * weight
            weights[y : y + height, x : x + width] += weight
    assert total is not None
    return total.div_(weights)


def _batches(places: list[tuple[int, int]], size: int) -> Iterator[list[tuple[int, int]]]:
    return (places[start : start + size] for start in range(0, len(places), size))


@lru_cache(maxsize=4)
def _gaussian(size: tuple[int, int]) -> Tensor:
    """Weights (h, w), largest in the middle and nowhere so small that a corner seen once is lost to rounding."""
    axes = [torch.exp(-(((torch.arange(n) + 0.5) / n - 0.5) ** 2) / (2 * _SIGMA**2)) for n in size]
    return torch.outer(*axes).clamp(min=1e-3)
