"""From a trained network to class probabilities at each image's own size."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from competition.config import Precision
from competition.training.failures import stop_if_asked
from competition.training.precision import autocast
from competition.training.weights import Stats

Size = tuple[int, int]


@dataclass(frozen=True)
class Predictor:
    """A network with what it needs to look at an image.

    Args:
        mean, std: per channel, for RGB in [0, 1].
        batch_size: images per forward pass.
    """

    model: torch.nn.Module
    device: torch.device
    precision: Precision
    mean: Stats
    std: Stats
    batch_size: int

    def normalise(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 (N, 3, H, W) on any device to float32 on this one, channels last."""
        on_device = images.to(self.device, non_blocking=True)
        mean = torch.tensor(self.mean, device=self.device).view(1, 3, 1, 1) * 255
        std = torch.tensor(self.std, device=self.device).view(1, 3, 1, 1) * 255
        return ((on_device.float() - mean) / std).contiguous(memory_format=torch.channels_last)

    def logits(
        self, images: Callable[[int], NDArray[np.uint8]], sizes: Sequence[Size], *, stop: Callable[[], bool]
    ) -> Iterator[torch.Tensor]:
        """Logits float32 (C, H, W) of each image, in order, bilinearly brought to its own size.

        Args:
            images: the n-th image as uint8 (height, width, 3) at the network's size.
            sizes: (H, W) of each image.
            stop: asked before every batch.

        Raises:
            StoppedError: `stop` said so.
        """
        self.model.eval()
        for start in range(0, len(sizes), self.batch_size):
            stop_if_asked(stop)
            chosen = range(start, min(start + self.batch_size, len(sizes)))
            batch = torch.from_numpy(np.stack([images(n) for n in chosen]).transpose(0, 3, 1, 2))
            with torch.inference_mode(), autocast(self.precision, self.device):
                out = self.model(self.normalise(batch))
            for number, logits in zip(chosen, out.float(), strict=True):
                yield _at_size(logits, sizes[number])


def probabilities(logits: torch.Tensor) -> NDArray[np.float32]:
    """Softmax over the classes: logits (C, H, W) to float32 (C, H, W) on the CPU."""
    return logits.softmax(dim=0).cpu().numpy()


def labels(logits: torch.Tensor) -> NDArray[np.uint8]:
    """The class of each pixel: logits (C, H, W) to uint8 (H, W) on the CPU."""
    return logits.argmax(dim=0).to(torch.uint8).cpu().numpy()


def _at_size(logits: torch.Tensor, size: Size) -> torch.Tensor:
    if tuple(logits.shape[-2:]) == size:
        return logits
    with torch.inference_mode():
        return functional.interpolate(logits[None], size=size, mode="bilinear", align_corners=False)[0]
