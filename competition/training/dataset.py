"""Training batches, in an order that is a function of the seed, and nothing else."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from competition.config import Config
from competition.data.cache import Cache
from competition.training.augment import Augmenter
from competition.training.seeds import derive


class Draw(NamedTuple):
    """What a batch is made of: `epoch` and `step` (within the epoch) count from 0."""

    epoch: int
    step: int
    ids: tuple[str, ...]


class Batch(NamedTuple):
    """`images` uint8 (N, H, W, 3), `masks` uint8 (N, H, W), and where they come from."""

    images: Tensor
    masks: Tensor
    draw: Draw


class TrainingImages(Dataset[Batch]):
    """Augmented batches from the cache, each asked for by a `Draw`, so that nobody needs to be told the epoch."""

    def __init__(self, cache: Cache, config: Config) -> None:
        self._cache = cache
        self._seed = config.seed
        self._augment = Augmenter(config.augment)

    def __getitem__(self, draw: Draw) -> Batch:
        """The batch; the same draw always gives the same pixels."""
        height, width = self._cache.masks.shape[1:]
        images = np.empty((len(draw.ids), height, width, 3), np.uint8)
        masks = np.empty((len(draw.ids), height, width), np.uint8)
        for place, image_id in enumerate(draw.ids):
            row = self._cache.index[image_id]
            image, mask = np.array(self._cache.images[row]), np.array(self._cache.masks[row])
            seed = derive(self._seed, draw.epoch, image_id)
            images[place], masks[place] = self._augment(image, mask, seed=seed)
        return Batch(torch.from_numpy(images), torch.from_numpy(masks), draw)


def steps_per_epoch(images: int, batch_size: int) -> int:
    """How many batches an epoch over that many images has.

    Every image comes once. An incomplete last batch is kept, except that a single left-over image joins the batch
    before it: batch normalisation cannot train on one image whose feature map has shrunk to one pixel.
    """
    full, left_over = divmod(images, batch_size)
    return max(1, full + (left_over > 1))


def draws(
    ids: Sequence[str], *, seed: int, batch_size: int, epochs: int, first: tuple[int, int] = (0, 0)
) -> Iterator[Draw]:
    """Every batch of a training run in order, from (epoch, step) `first` on. Each epoch has its own order."""
    steps = steps_per_epoch(len(ids), batch_size)
    for epoch in range(first[0], epochs):
        order = np.random.default_rng(derive(seed, "order", epoch)).permutation(len(ids))
        for step in range(first[1] if epoch == first[0] else 0, steps):
            end = len(ids) if step == steps - 1 else (step + 1) * batch_size
            yield Draw(epoch, step, tuple(ids[i] for i in order[step * batch_size : end]))


def load_batches(
    images: TrainingImages, wanted: Iterable[Draw], *, workers: int, device: torch.device
) -> Iterator[Batch]:
    """The batches of those draws, prepared ahead by `workers` processes (0: by this one, when they are asked for).

    One iterator serves the whole run: the workers go on with the next epoch while this process validates. Ask for it
    before the device is touched, as the workers are forked at once.
    """
    loader = DataLoader(
        images,
        sampler=wanted,
        batch_size=None,
        num_workers=workers,
        collate_fn=_as_it_is,
        worker_init_fn=_settle_in,
        pin_memory=device.type == "cuda",
        multiprocessing_context="fork" if workers else None,
    )
    return iter(loader)


def _as_it_is(batch: Any) -> Any:
    return batch


def _settle_in(_worker: int) -> None:
    """A worker computes on one thread and gives way to the process that trains."""
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    os.nice(5)
