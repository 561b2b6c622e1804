"""Training batches, in an order that depends on the seed alone."""

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
from competition.data.rare_classes import NO_RARE_CLASSES, RareClasses
from competition.training.augmenting.augmenter import Augmenter
from competition.training.augmenting.mixing import Mixed, mix, paste
from competition.training.sampling import SHUFFLE, Sampling, crop, earlier_occurrences, resized, zoom_to_class
from competition.training.seeds import derive

Key = tuple[int | str, ...]
"""Decides the randomness of one sample: (seed, epoch, image id), and the occurrence if the image was drawn before."""


class BatchPlan(NamedTuple):
    """The contents of a batch: `epoch` and `step` (within the epoch) count from 0.

    Args:
        occurrences: for each id, the number of times that it came earlier in the epoch; empty if each comes once.
        size: (height, width) to train at; None for `Config.train_size`.
    """

    epoch: int
    step: int
    ids: tuple[str, ...]
    occurrences: tuple[int, ...] = ()
    size: tuple[int, int] | None = None


class Batch(NamedTuple):
    """`images` uint8 (N, H, W, 3), `masks` uint8 (N, H, W), and the plan that they were made from.

    Args:
        partners: a second target for each pixel, uint8 (N, H, W), if images were blended; else None.
        share: the weight of the first target, 0 to 1.
    """

    images: Tensor
    masks: Tensor
    plan: BatchPlan
    partners: Tensor | None = None
    share: float = 1.0


class TrainingImages(Dataset[Batch]):
    """Augmented batches from the cache, indexed by their plans.

    The index is a plan, not a number, because loader workers live through all epochs and are not told which one it is.

    Args:
        rare: classes to crop to and to paste, and the images that have them.
        epochs: of the whole job; the last `mix.stop_epochs` of them are not mixed.
        same_epochs: True to augment every epoch like the first.
    """

    def __init__(
        self,
        cache: Cache,
        config: Config,
        *,
        rare: RareClasses = NO_RARE_CLASSES,
        epochs: int = 0,
        same_epochs: bool = False,
    ) -> None:
        self._cache = cache
        self._config = config
        self._rare = rare
        self._mixed_until = float("inf") if same_epochs or not epochs else epochs - config.mix.stop_epochs
        self._same_epochs = same_epochs
        self.augment = Augmenter(config.augment)

    def __getitem__(self, plan: BatchPlan) -> Batch:
        """The batch; the same plan always gives the same pixels."""
        config = self._config
        epoch = 0 if self._same_epochs else plan.epoch
        is_mixed = plan.epoch < self._mixed_until
        height, width = plan.size or config.train_size
        images = np.empty((len(plan.ids), height, width, 3), np.uint8)
        masks = np.empty((len(plan.ids), height, width), np.uint8)
        for place, image_id in enumerate(plan.ids):
            # No generator is carried from sample to sample: the result must not depend on which worker made which.
            key: Key = (config.seed, epoch, image_id)
            if plan.occurrences and plan.occurrences[place]:
                key = (*key, plan.occurrences[place])
            image, mask = self._sample(image_id, (height, width), key)
            if is_mixed and config.mix.copy_paste:
                image, mask = self._paste(image, mask, key)
            images[place], masks[place] = self.augment(image, mask, seed=derive(*key))
        mixed = Mixed(images, masks)
        if is_mixed and (config.mix.mixup or config.mix.cutmix):
            rng = np.random.default_rng(derive(config.seed, "mix", epoch, plan.step))
            mixed = mix(config.mix, images, masks, rng)
        partners = None if mixed.partners is None else torch.from_numpy(mixed.partners)
        return Batch(torch.from_numpy(mixed.images), torch.from_numpy(mixed.masks), plan, partners, mixed.share)

    def _sample(
        self, image_id: str, size: tuple[int, int], key: Key, *, has_rare: bool = False
    ) -> tuple[Pixels, Pixels]:
        """The image and its mask at `size`, whole or a part; with `has_rare` a part that shows a rare class."""
        sampling = self._config.sampling
        if sampling.crop is not None:
            rng = np.random.default_rng(derive("crop", *key))
            # `rng.random()` comes first: every call draws it, so later draws do not depend on `has_rare`
            classes = self._rare.classes if rng.random() < sampling.rare_crop or has_rare else ()
            return crop(*self._cache.pair(image_id), size, classes, rng)
        image, mask = resized(*self._cache.pair(image_id), size)
        if sampling.rare_crop:
            rng = np.random.default_rng(derive("crop", *key))
            if rng.random() < sampling.rare_crop:
                return zoom_to_class(image, mask, self._rare.classes, scale=sampling.crop_scale, rng=rng)
        return image, mask

    def _paste(self, image: Pixels, mask: Pixels, key: Key) -> tuple[Pixels, Pixels]:
        rng = np.random.default_rng(derive("paste", *key))
        if not self._rare.images or rng.random() >= self._config.mix.copy_paste:
            return image, mask
        donor = self._rare.images[int(rng.integers(len(self._rare.images)))]
        donated = self._sample(donor, (mask.shape[0], mask.shape[1]), ("donor", *key), has_rare=True)
        return paste(image, mask, donated, self._rare.classes)


def steps_per_epoch(images: int, batch_size: int) -> int:
    """The number of batches in an epoch over that many images.

    Every image comes once. An incomplete last batch is kept, but a single image that is left over joins the batch
    before it: batch normalisation cannot train on one image whose feature map has shrunk to one pixel.
    """
    full, left_over = divmod(images, batch_size)
    return max(1, full + (left_over > 1))


def plan_batches(
    ids: Sequence[str],
    *,
    seed: int,
    batch_size: int,
    epochs: int,
    first: tuple[int, int] = (0, 0),
    sampling: Sampling = SHUFFLE,
) -> Iterator[BatchPlan]:
    """The plans of all batches of a training run in order, from (epoch, step) `first` on; each epoch has its own."""
    steps = steps_per_epoch(len(ids), batch_size)
    for epoch in range(first[0], epochs):
        ordered = [ids[i] for i in sampling.order(len(ids), seed=seed, epoch=epoch)]
        occurrences = earlier_occurrences(ordered) if sampling.holders else ()
        size = sampling.size(epoch, epochs)
        for step in range(first[1] if epoch == first[0] else 0, steps):
            part = slice(step * batch_size, len(ids) if step == steps - 1 else (step + 1) * batch_size)
            yield BatchPlan(epoch, step, tuple(ordered[part]), occurrences[part], size)


def load_batches(
    images: TrainingImages, plans: Iterable[BatchPlan], *, workers: int, device: torch.device
) -> Iterator[Batch]:
    """The batches of these plans, prepared ahead by `workers` processes (0: by this one, on demand).

    One iterator serves the whole run: the workers prepare the next epoch while this process validates. Call it before
    the device is used, because the workers are forked at once. An error in `images` is raised here with its own type,
    from any process.
    """
    loader = DataLoader(
        _ErrorsAsData(images),
        sampler=plans,
        batch_size=None,  # a plan is a whole batch already
        num_workers=workers,
        collate_fn=_unchanged,
        worker_init_fn=_start_worker,
        pin_memory=device.type == "cuda",
        multiprocessing_context="fork" if workers else None,  # a spawned worker would import torch again, for seconds
    )
    return map(_raise_error, iter(loader))


@dataclass(frozen=True)
class _LoaderError:
    """An error in place of a batch, with the traceback of the process that raised it."""

    error: Exception
    traceback: str


class _ErrorsAsData(Dataset[Batch | _LoaderError]):
    # A torch worker reports an error as text inside another traceback, and its type is lost.

    def __init__(self, images: TrainingImages) -> None:
        self._images = images

    def __getitem__(self, plan: BatchPlan) -> Batch | _LoaderError:
        try:
            return self._images[plan]
        except Exception as error:  # noqa: BLE001 - the training process raises it again
            return _LoaderError(_picklable(error), traceback.format_exc())


def _raise_error(loaded: Batch | _LoaderError) -> Batch:
    if isinstance(loaded, _LoaderError):
        loaded.error.add_note(f"Raised where the batch was prepared:\n{loaded.traceback}")
        raise loaded.error
    return loaded


def _picklable(error: Exception) -> Exception:
    """The error as another process receives it; a RuntimeError with its text if it cannot be pickled."""
    try:
        received: Exception = pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - a library's error may raise anything while it is pickled and restored
        return RuntimeError(f"{type(error).__name__}: {error}")
    return received


def _unchanged(batch: Any) -> Any:
    return batch


def _start_worker(_worker: int) -> None:
    """Make a loader worker compute on one thread at low priority, and ignore SIGTERM from all but its parent."""
    # A supervisor may send SIGTERM to the whole process group. The job must then finish its batch and save, and torch
    # reports a crash if a worker dies meanwhile. SIGTERM cannot be ignored altogether: a trainer that exits uses it to
    # end the workers of a loader that is still referenced, and then waits for them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_exit_when_parent_asks, daemon=True).start()
    cv2.setNumThreads(0)  # a fork copies none of the threads of a pool
    torch.set_num_threads(1)
    os.nice(5)


def _exit_when_parent_asks() -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
        pass
    os._exit(0)  # at once: the main thread may be in the middle of a batch
