"""Training images before and after augmentation, for a contact sheet."""

from collections.abc import Sequence

import numpy as np

from competition.config.experiment import Config
from competition.data.cache import Cache
from competition.data.load import open_loader
from competition.data.manifest import Item
from competition.data.preview import Previewed, PreviewSpec
from competition.data.rare_classes import find_rare_classes
from competition.paths import CachePaths
from competition.training.augmenting.checks import check_augmentation
from competition.training.dataset import BatchPlan, TrainingImages, steps_per_epoch
from competition.training.sampling import Sampling, resized


def previews(spec: PreviewSpec) -> list[Previewed]:
    """The images of `spec` before and after augmentation, as in the epoch that it names, in batches of their own.

    Raises:
        CompError: the augmentation cannot be built or run, or an image cannot be read.
    """
    config, epochs = spec.config, spec.config.train.epochs
    sampling = Sampling.of(config.sampling, spec.items, config.data.size, same_epochs=False)
    size = sampling.size(spec.epoch, epochs)
    check_augmentation(config.augment, size or config.train_size)
    cache = _cache_in_memory(spec)
    rare = find_rare_classes(spec.items, spec.settings.classes, config.sampling.rare)
    images = TrainingImages(cache, config, rare=rare, epochs=epochs)
    shown = []
    for step, ids in enumerate(_batches(spec.items, config)):
        batch = images[BatchPlan(spec.epoch, step, ids, size=size)]
        for place, image_id in enumerate(ids):
            row = cache.index[image_id]
            before = cache.images[row], cache.masks[row]
            after = batch.images[place].numpy(), batch.masks[place].numpy()
            shown.append(Previewed(image_id, *before, *after, batch.share))
    return shown


def _cache_in_memory(spec: PreviewSpec) -> Cache:
    """A cache of the preview's images alone; the whole one may take minutes to build."""
    loader = open_loader(spec.settings, spec.root)
    pairs = [resized(loader.image(item), loader.labels(item), spec.config.data.size) for item in spec.items]
    images, masks = (np.stack(part) for part in zip(*pairs, strict=True))
    rows = {item.id: row for row, item in enumerate(spec.items)}
    return Cache(CachePaths(spec.root), images, masks, images[:0], rows, {})  # type: ignore[arg-type]  # not on disk


def _batches(items: Sequence[Item], config: Config) -> list[tuple[str, ...]]:
    """The ids in batches of the training's size; a single image left over joins the batch before it."""
    ids, size = tuple(item.id for item in items), config.train.images_per_step
    last = (steps_per_epoch(len(ids), size) - 1) * size
    return [*(ids[start : start + size] for start in range(0, last, size)), ids[last:]]
