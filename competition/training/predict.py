"""Predictions at each image's own size, from a trained model and the cache."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from competition.config.experiment import PredictConfig
from competition.data.cache import Mapped
from competition.data.manifest import Item
from competition.training.failures import NotFiniteError, is_out_of_memory
from competition.training.network.model import Segmenter
from competition.training.network.tta import PredictFunction, predict_function, resize_bilinear

Tick = Callable[[int, int], None]
"""Called with the number of images done and of all images; may raise to stop."""


def predictions(
    segmenter: Segmenter,
    pixels: Mapped,
    rows: Mapping[str, int],
    items: Sequence[Item],
    *,
    batch_size: int,
    device: torch.device,
    config: PredictConfig,
    tick: Tick = lambda done, total: None,
) -> Iterator[tuple[Item, Tensor]]:
    """Each image with its logits, float32 (C, H, W) at the image's own size, on the device.

    Args:
        pixels: uint8 (N, h, w, 3), of the cache.
        rows: the row in `pixels` of each image id.
        batch_size: most images, or windows of one image, in one forward pass. It is halved, down to 1, whenever the
            device runs out of memory.
        config: test-time augmentation, and windows for large images.
        tick: called before each forward pass (a large image takes many) and at the end.

    Raises:
        NotFiniteError: a logit is infinite or NaN.
    """
    segmenter.eval()
    done = 0

    def forward(pixels: Tensor) -> Tensor:
        tick(done, len(items))
        logits: Tensor = segmenter(pixels)
        return logits

    while done < len(items):
        batch = items[done : done + (batch_size if config.window is None else 1)]  # windows are for large images
        images = torch.from_numpy(np.stack([pixels[rows[item.id]] for item in batch]))
        predict = predict_function(forward, config, batch_size=batch_size)
        logits = _logits_if_memory_suffices(predict, images, device, batch_size)
        if logits is None:
            batch_size = _halved(batch_size, device)
            continue
        yield from _at_own_sizes(batch, logits)
        done += len(batch)
        del logits  # or the next batch is computed while this one still takes memory
    tick(done, len(items))


def without_tta(config: PredictConfig) -> PredictConfig:
    """The same windows without test-time augmentation, for the quick validation after each epoch."""
    return PredictConfig(window=config.window, overlap=config.overlap)


def at_size(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Logits (C, h, w) as (C, H, W), interpolated bilinearly between pixel centres."""
    return logits if logits.shape[1:] == size else resize_bilinear(logits[None], size)[0]


def labels(logits: Tensor) -> NDArray[np.uint8]:
    """The most probable class of each pixel, uint8 (H, W), for logits (C, H, W)."""
    classes: NDArray[np.uint8] = logits.argmax(0).to(torch.uint8).cpu().numpy()
    return classes


def probabilities(logits: Tensor) -> NDArray[np.float32]:
    """Class probabilities, float32 (C, H, W), which sum to 1 over the classes, for logits (C, H, W)."""
    softmax: NDArray[np.float32] = logits.softmax(0).cpu().numpy()
    return softmax


def _at_own_sizes(items: Sequence[Item], logits: Tensor) -> Iterator[tuple[Item, Tensor]]:
    finite = torch.isfinite(logits).flatten(1).all(1).tolist()
    for item, image_logits, is_finite in zip(items, logits, finite, strict=True):
        if not is_finite:
            raise NotFiniteError.of_prediction(item.id)
        yield item, at_size(image_logits, (item.height, item.width))


def _logits_if_memory_suffices(
    predict: PredictFunction, images: Tensor, device: torch.device, batch_size: int
) -> Tensor | None:
    """The logits; None if the device ran out of memory and `batch_size` can still be halved."""
    try:
        with torch.inference_mode():
            return predict(images.to(device))
    except (RuntimeError, MemoryError) as error:
        if batch_size < 2 or not is_out_of_memory(error):
            raise
        return None


def _halved(batch_size: int, device: torch.device) -> int:
    # Called outside the error's handler: its traceback holds on to the tensors of the failed pass.
    if device.type == "cuda":
        torch.cuda.empty_cache()
    print(f"Out of memory: from here on at most {batch_size // 2} are predicted at once.", flush=True)
    return batch_size // 2
