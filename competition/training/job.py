"""What a job works on: which images, from where, for how many epochs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from competition.data.cache import Cache, open_cache
from competition.data.load import load_mask
from competition.data.manifest import Item, Manifest
from competition.data.sample import debug_sample
from competition.data.splits import Split
from competition.errors import DataError
from competition.jobspec import JobSpec
from competition.lifecycle import JobKind

DEBUG_SHARE = 0.05
DEBUG_EPOCHS = 2
DEBUG_BATCHES = 2
"""A debug job trains on at least so many batches."""


@dataclass(frozen=True)
class Work:
    """The images of one job, all from one cache. A debug job has no test images."""

    spec: JobSpec
    cache: Cache
    epochs: int
    train: list[str]
    valid: list[Item]
    test: list[Item]

    def valid_image(self, number: int) -> NDArray[np.uint8]:
        """The n-th validation image, uint8 (H, W, 3) at the network's size."""
        return np.asarray(self.cache.images[self.cache.index[self.valid[number].id]])

    def test_image(self, number: int) -> NDArray[np.uint8]:
        """The n-th test image, uint8 (H, W, 3) at the network's size."""
        return np.asarray(self.cache.test_images[self.cache.test_index[self.test[number].id]])

    def truth(self, number: int) -> NDArray[np.uint8]:
        """The n-th validation image's labels, uint8 (H, W) at their own size."""
        return load_mask(self.valid[number], self.spec.settings, self.spec.root)


def prepare(spec: JobSpec) -> Work:
    """Read the manifest and the folds, and open the cache (the first job builds it).

    Raises:
        DataError: one of them is damaged, or is not what the job was queued for.
    """
    manifest = Manifest.read(spec.paths.manifest(spec.fingerprint))
    split = Split.read(spec.paths.folds(spec.fingerprint, spec.split_version))
    if split.hash != spec.split_hash:
        raise DataError(
            f"The folds of split v{spec.split_version} are not those that this experiment was queued on.",
            hint="Put the old file back, or `comp split --force` and run the experiment again.",
        )
    print(f"Opening {len(manifest.items)} labelled and {len(manifest.test)} test images at {spec.config.data.size}.")
    cache = open_cache(manifest, spec.settings, spec.root, spec.paths.cache(spec.fingerprint), spec.config.data.size)
    train, valid = split.train_ids(spec.fold), split.valid_ids(spec.fold)
    if spec.kind is JobKind.FOLD:
        return Work(
            spec, cache, spec.config.train.epochs, train, [manifest.item(i) for i in valid], list(manifest.test)
        )
    batch = spec.config.train.batch_size
    train = debug_sample(manifest, train, share=DEBUG_SHARE, at_least=DEBUG_BATCHES * batch, seed=spec.config.seed)
    valid = debug_sample(manifest, valid, share=DEBUG_SHARE, at_least=1, seed=spec.config.seed)
    return Work(spec, cache, DEBUG_EPOCHS, train, [manifest.item(i) for i in valid], [])
