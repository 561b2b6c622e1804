"""Training batches, in an order that is a function of the seed, and nothing else."""

import os
import pickle
import signal
import threading
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from competition.config.experiment import Config
from competition.data.cache import Cache
from competition.data.images import Pixels
from competition.data.rarity import NONE, Rare
from competition.training.augmenting.augment import Augmenter
from competition.training.augmenting.mixing import Mixed, mix, paste
from competition.training.sampling import SHUFFLE, Sampling, crop, crop_around, resized, times_before
from competition.training.seeds import derive


class Draw(NamedTuple):
    """What a batch is made of: `epoch` and `step` (within the epoch) count from 0.

    Args:
        times: how often each of the ids came before in the epoch; empty where each comes once.
        size: (height, width) to train at; None for `Config.train_size`.
    """

    epoch: int
    step: int
    ids: tuple[str, ...]
    times: tuple[int, ...] = ()
    size: tuple[int, int] | None = None


class Batch(NamedTuple):
    """`images` uint8 (N, H, W, 3), `masks` uint8 (N, H, W), and where they come from.

    Args:
        partners: a second target for each pixel, uint8 (N, H, W), where images were blended; else None.
        share: the weight of the first target, 0 to 1.
    """

    images: Tensor
    masks: Tensor
    draw: Draw
    partners: Tensor | None = None
    share: float = 1.0


class TrainingImages(Dataset[Batch]):
    """Augmented batches from the cache, each asked for by a `Draw`, so that nobody needs to be told the epoch.

    Args:
        rare: classes to crop to and to paste, and the images that hold them.
        epochs: of the whole job; the last `mix.stop_epochs` of them are not mixed.
        still: every epoch is augmented like the first.
    """

    def __init__(
        self, cache: Cache, config: Config, *, rare: Rare = NONE, epochs: int = 0, still: bool = False
    ) -> None:
        self._cache = cache
        self._config = config
        self._rare = rare
        self._mixed_until = float("inf") if still or not epochs else epochs - config.mix.stop_epochs
        self._still = still
        self.augment = Augmenter(config.augment)

    def __getitem__(self, draw: Draw) -> Batch:
        """The batch; the same draw always gives the same pixels."""
        epoch = 0 if self._still else draw.epoch
        mixes = draw.epoch < self._mixed_until
        height, width = draw.size or self._config.train_size
        images = np.empty((len(draw.ids), height, width, 3), np.uint8)
        masks = np.empty((len(draw.ids), height, width), np.uint8)
        for place, image_id in enumerate(draw.ids):
            key: tuple[int | str, ...] = (self._config.seed, epoch, image_id)
            if draw.times and draw.times[place]:
                key = (*key, draw.times[place])
            image, mask = self._part(image_id, (height, width), key)
            if mixes and self._config.mix.copy_paste:
                image, mask = self._paste(image, mask, key)
            images[place], masks[place] = self.augment(image, mask, seed=derive(*key))
        mixed = Mixed(images, masks)
        if mixes and (self._config.mix.mixup or self._config.mix.cutmix):
            rng = np.random.default_rng(derive(self._config.seed, "mix", epoch, draw.step))
            mixed = mix(self._config.mix, images, masks, rng)
        partners = None if mixed.partners is None else torch.from_numpy(mixed.partners)
        return Batch(torch.from_numpy(mixed.images), torch.from_numpy(mixed.masks), draw, partners, mixed.share)

    def _part(
        self, image_id: str, size: tuple[int, int], key: tuple[int | str, ...], *, rare: bool = False
    ) -> tuple[Pixels, Pixels]:
        """The image and its mask at `size`: all of it, or a part; with `rare`, one that has a rare class."""
        sampling = self._config.sampling
        if sampling.crop is not None:
            rng = np.random.default_rng(derive("crop", *key))
            wanted = self._rare.classes if rng.random() < sampling.rare_crop or rare else ()
            return crop(*self._cache.pair(image_id), size, wanted, rng)
        image, mask = resized(*self._cache.pair(image_id), size)
        if sampling.rare_crop:
            rng = np.random.default_rng(derive("crop", *key))
            if rng.random() < sampling.rare_crop:
                return crop_around(image, mask, self._rare.classes, scale=sampling.crop_scale, rng=rng)
        return image, mask

    def _paste(self, image: Pixels, mask: Pixels, key: tuple[int | str, ...]) -> tuple[Pixels, Pixels]:
        rng = np.random.default_rng(derive("paste", *key))
        if not self._rare.images or rng.random() >= self._config.mix.copy_paste:
            return image, mask
        donor = self._rare.images[int(rng.integers(len(self._rare.images)))]
        donated = self._part(donor, (mask.shape[0], mask.shape[1]), ("donor", *key), rare=True)
        return paste(image, mask, donated, self._rare.classes)


@dataclass(frozen=True)
class _Failure:
    """An error that came instead of a batch, and the traceback it had where it came from."""

    error: Exception
    traceback: str


class _Carrier(Dataset[Batch | _Failure]):
    """Hands errors over as data: torch's workers hand over their words alone, within a traceback."""

    def __init__(self, images: TrainingImages) -> None:
        self._images = images

    def __getitem__(self, draw: Draw) -> Batch | _Failure:
        try:
            return self._images[draw]
        except Exception as error:  # noqa: BLE001 - the process that trains raises it again
            return _Failure(_portable(error), traceback.format_exc())


def steps_per_epoch(images: int, batch_size: int) -> int:
    """How many batches an epoch over that many images has.

    Every image comes once. An incomplete last batch is kept, except that a single left-over image joins the batch
    before it: batch normalisation cannot train on one image whose feature map has shrunk to one pixel.
    """
    full, left_over = divmod(images, batch_size)
    return max(1, full + (left_over > 1))


def draws(
    ids: Sequence[str],
    *,
    seed: int,
    batch_size: int,
    epochs: int,
    first: tuple[int, int] = (0, 0),
    sampling: Sampling = SHUFFLE,
) -> Iterator[Draw]:
    """Every batch of a training run in order, from (epoch, step) `first` on. Each epoch has its own order."""
    steps = steps_per_epoch(len(ids), batch_size)
    for epoch in range(first[0], epochs):
        wanted = [ids[i] for i in sampling.order(len(ids), seed=seed, epoch=epoch)]
        times = times_before(wanted) if sampling.holders else ()
        size = sampling.size(epoch, epochs)
        for step in range(first[1] if epoch == first[0] else 0, steps):
            part = slice(step * batch_size, len(ids) if step == steps - 1 else (step + 1) * batch_size)
            yield Draw(epoch, step, tuple(wanted[part]), times[part], size)


def load_batches(
    images: TrainingImages, wanted: Iterable[Draw], *, workers: int, device: torch.device
) -> Iterator[Batch]:
    """The batches of those draws, prepared ahead by `workers` processes (0: by this one, when they are asked for).

    One iterator serves the whole run: the workers go on with the next epoch while this process validates. Ask for it
    before the device is touched, as the workers are forked at once. What `images` raises is raised here, as it was,
    whoever prepared the batch.
    """
    loader = DataLoader(
        _Carrier(images),
        sampler=wanted,
        batch_size=None,
        num_workers=workers,
        collate_fn=_as_it_is,
        worker_init_fn=_settle_in,
        pin_memory=device.type == "cuda",
        multiprocessing_context="fork" if workers else None,
    )
    return map(_delivered, iter(loader))


def _delivered(loaded: Batch | _Failure) -> Batch:
    if isinstance(loaded, _Failure):
        loaded.error.add_note(f"Raised where the batch was prepared:\n{loaded.traceback}")
        raise loaded.error
    return loaded


def _portable(error: Exception) -> Exception:
    """The error as another process gets it; one that cannot be pickled is told in words."""
    try:
        sent: Exception = pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever a library's error does when it is taken apart and put together
        return RuntimeError(f"{type(error).__name__}: {error}")
    return sent


def _as_it_is(batch: Any) -> Any:
    return batch


def _settle_in(_worker: int) -> None:
    """A worker computes on one thread, gives way to the process that trains, and is ended by nobody else's SIGTERM.

    Whoever sends that to the whole process group wants the job to finish its batch and save, and torch calls it a crash
    when a worker dies meanwhile. Ignoring it altogether would not do: it is how a process that exits ends the workers
    of a loader that something still holds, and then it waits for them.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_end_with_trainer, daemon=True).start()
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    os.nice(5)


def _end_with_trainer() -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
        pass
    os._exit(0)
