"""Predictions of whole images or overlapping windows, plain or averaged over views (test-time augmentation)."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import torch
from torch import Tensor
from torch.nn import functional as F

from competition.config.experiment import PredictConfig, TestTimeAugmentation
from competition.config.fields import STRIDE
from competition.training.seeds import fast_inference

PredictFunction = Callable[[Tensor], Tensor]
"""Logits, float32 (N, C, h, w), of pixels (N, h, w, 3): uint8, or float in 0..255."""

View = tuple[float, int, bool]
"""Scale, number of quarter turns, and True to mirror the image before it is turned."""

_SYMMETRIES: dict[TestTimeAugmentation, tuple[tuple[int, bool], ...]] = {
    TestTimeAugmentation.NONE: ((0, False),),
    TestTimeAugmentation.HFLIP: ((0, False), (0, True)),
    TestTimeAugmentation.FLIPS: ((0, False), (0, True), (2, False), (2, True)),
    TestTimeAugmentation.D4: tuple((turns, mirrored) for turns in range(4) for mirrored in (False, True)),
}

_SIGMA = 1 / 8
"""Standard deviation of the Gaussian, in window sizes (Isensee et al., "nnU-Net", Nature Methods 18, 2021)."""


def predict_function(network: PredictFunction, config: PredictConfig, *, batch_size: int) -> PredictFunction:
    """The function that predicts with the network as `config` says; the network itself for the default.

    Args:
        batch_size: most windows in one forward pass.
    """
    predict = network
    views = [(scale, *symmetry) for scale in config.scales for symmetry in _SYMMETRIES[config.tta]]
    if views != [(1.0, 0, False)]:
        predict = partial(_average_views, predict, views)
    if config.window is not None:
        predict = partial(_predict_windows, predict, config.window, config.overlap, batch_size)
    return predict


def input_sizes(config: PredictConfig, size: tuple[int, int]) -> list[tuple[int, int]]:
    """Every (height, width) that the network gets when it predicts images of `size`."""
    whole = size if config.window is None else (min(config.window[0], size[0]), min(config.window[1], size[1]))
    scaled = [_scaled_size(whole, scale) for scale in config.scales]
    turned = [(width, height) for height, width in scaled] if config.tta is TestTimeAugmentation.D4 else []
    return list(dict.fromkeys([*scaled, *turned]))


def resize_bilinear(values: Tensor, size: tuple[int, int]) -> Tensor:
    """Values (N, C, h, w) as (N, C, H, W), interpolated bilinearly between pixel centres."""
    with fast_inference():
        return F.interpolate(values, size=size, mode="bilinear", align_corners=False)


def window_starts(length: int, window: int, overlap: float) -> list[int]:
    """Evenly spaced starts of windows that cover `length` pixels; neighbours share at least `overlap` of a window."""
    if length <= window:
        return [0]
    steps = math.ceil((length - window) / max(1.0, window * (1 - overlap)))
    return [round(step * (length - window) / steps) for step in range(steps + 1)]


def _average_views(network: PredictFunction, views: Sequence[View], pixels: Tensor) -> Tensor:
    """The logarithm of the views' mean probabilities: its softmax is that mean."""
    total: Tensor | None = None
    for scale, turns, mirrored in views:
        view = _scaled(pixels, scale)
        view = torch.rot90(view.flip(2) if mirrored else view, turns, (1, 2))
        probabilities = network(view.contiguous()).softmax(1)
        # undone in the opposite order: first the turn, then the mirror
        probabilities = torch.rot90(probabilities, -turns, (2, 3))
        probabilities = probabilities.flip(3) if mirrored else probabilities
        if probabilities.shape[2:] != pixels.shape[1:3]:
            probabilities = resize_bilinear(probabilities, (pixels.shape[1], pixels.shape[2]))
        total = probabilities if total is None else total + probabilities
    assert total is not None
    return (total / len(views)).clamp(min=torch.finfo(total.dtype).tiny).log()  # log(0) would be -inf


def _scaled(pixels: Tensor, scale: float) -> Tensor:
    """The pixels at about `scale` times their size, in whole strides of the network."""
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


def _predict_windows(
    predict: PredictFunction, window: tuple[int, int], overlap: float, batch_size: int, pixels: Tensor
) -> Tensor:
    """The mean of each pixel over its windows, weighted by a Gaussian around each window's centre.

    At most `batch_size` windows are in memory at a time.
    """
    size = (min(window[0], pixels.shape[1]), min(window[1], pixels.shape[2]))
    logits = [_predict_windows_of_one(predict, size, overlap, batch_size, image) for image in pixels]
    return logits[0][None] if len(logits) == 1 else torch.stack(logits)  # stack would copy a large image's logits


def _predict_windows_of_one(
    predict: PredictFunction, size: tuple[int, int], overlap: float, batch_size: int, image: Tensor
) -> Tensor:
    height, width = size
    weight = _gaussian(size).to(image.device)
    rows, columns = (window_starts(image.shape[axis], size[axis], overlap) for axis in (0, 1))
    corners = [(y, x) for y in rows for x in columns]
    total, weights = None, torch.zeros(image.shape[:2], device=image.device)
    for start in range(0, len(corners), batch_size):
        batch = corners[start : start + batch_size]
        logits = predict(torch.stack([image[y : y + height, x : x + width] for y, x in batch]))
        if total is None:
            total = torch.zeros((logits.shape[1], *image.shape[:2]), device=image.device)
        for (y, x), of_window in zip(batch, logits, strict=True):
            total[:, y : y + height, x : x + width] += of_window * weight
            weights[y : y + height, x : x + width] += weight
    assert total is not None
    return total.div_(weights)


@lru_cache(maxsize=4)
def _gaussian(size: tuple[int, int]) -> Tensor:
    """Weights (h, w), highest in the middle."""
    axes = [torch.exp(-(((torch.arange(n) + 0.5) / n - 0.5) ** 2) / (2 * _SIGMA**2)) for n in size]
    # clamped, because a corner that only one window sees would lose its digits to rounding when it is divided again
    return torch.outer(*axes).clamp(min=1e-3)
