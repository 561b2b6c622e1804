"""From a trained model and the cache to predictions at each image's own size."""

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
from competition.training.network.tta import PredictFunction, interpolated, looking

Tick = Callable[[int, int], None]
"""Called with how many images are done and how many there are; may raise to stop."""


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
        rows: where each id lies in `pixels`.
        config: the views that are averaged, and whether an image is seen whole.
        tick: called before each pass through the network, of which a large image takes many, and at the end.

    Raises:
        NotFiniteError: logits that are not numbers.
    """
    segmenter.eval()
    done, most = 0, batch_size

    def network(pixels: Tensor) -> Tensor:
        tick(done, len(items))
        logits: Tensor = segmenter(pixels)
        return logits

    while done < len(items):
        batch = items[done : done + (most if config.window is None else 1)]  # an image that needs windows is large
        images = torch.from_numpy(np.stack([pixels[rows[item.id]] for item in batch]))
        logits = _if_there_is_room(looking(network, config, batch_size=most), images, device, most)
        if logits is None:
            most = _halved(most, device)
            continue
        yield from _one_by_one(batch, logits)
        done += len(batch)
        del logits  # before the next batch needs the room
    tick(done, len(items))


def quick(config: PredictConfig) -> PredictConfig:
    """The same without views that are averaged, for a look after an epoch; an image that needs windows gets them."""
    return PredictConfig(window=config.window, overlap=config.overlap)


def at_size(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Logits (C, h, w) as (C, H, W), interpolated bilinearly between pixel centres."""
    return logits if logits.shape[1:] == size else interpolated(logits[None], size)[0]


def labels(logits: Tensor) -> NDArray[np.uint8]:
    """The likeliest class of each pixel, uint8 (H, W)."""
    found: NDArray[np.uint8] = logits.argmax(0).to(torch.uint8).cpu().numpy()
    return found


def probabilities(logits: Tensor) -> NDArray[np.float32]:
    """Class probabilities, float32 (C, H, W), summing to 1 over the classes."""
    found: NDArray[np.float32] = logits.softmax(0).cpu().numpy()
    return found


def _one_by_one(items: Sequence[Item], logits: Tensor) -> Iterator[tuple[Item, Tensor]]:
    finite = torch.isfinite(logits).flatten(1).all(1).tolist()
    for item, of_image, is_finite in zip(items, logits, finite, strict=True):
        if not is_finite:
            raise NotFiniteError.of_prediction(item.id)
        yield item, at_size(of_image, (item.height, item.width))


def _if_there_is_room(look: PredictFunction, images: Tensor, device: torch.device, most: int) -> Tensor | None:
    """The logits; None if the device's memory is too small for `most` images or windows at once, and fewer are left."""
    try:
        with torch.inference_mode():
            return look(images.to(device))
    except (RuntimeError, MemoryError) as error:
        if most < 2 or not is_out_of_memory(error):
            raise
        return None


def _halved(most: int, device: torch.device) -> int:
    """Outside the handler of the error, whose traceback keeps what was computed alive."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    print(f"Out of memory: from here on at most {most // 2} are predicted at once.", flush=True)
    return most // 2
