"""A preview and training see the same pixels."""

from pathlib import Path

import numpy as np
import pytest

from competition.config.experiment import Config, with_overrides
from competition.data.cache import open_cache
from competition.data.preview import PreviewSpec
from competition.data.rare_classes import find_rare_classes
from competition.errors import ConfigError
from competition.training.dataset import TrainingImages, plan_batches
from competition.training.preview import previews
from competition.training.sampling import Sampling
from tests.data.making import index
from tests.training.conftest import SETTINGS

SMALL = ["data.size=64x96", "train.epochs=4", "train.batch_size=2"]


@pytest.mark.parametrize("epoch", [0, 1, 2, 3])
def test_a_preview_shows_what_the_epoch_trains_on(epoch: int, root: Path, tmp_path: Path) -> None:
    """Smaller images first, crops to rare classes, and everything again as `draws` would have it."""
    manifest = index(SETTINGS, root)
    given = ["sampling.sizes=[32x32]", "sampling.rare_crop=0.5", "augment.pipeline=aerial"]
    config = with_overrides(Config(), [*SMALL, *given])
    shown = previews(PreviewSpec(root, config, SETTINGS, manifest.items, epoch))

    cache = open_cache(manifest, SETTINGS, root, tmp_path, config.data.size)
    sampling = Sampling.of(config.sampling, manifest.items, config.data.size, same_epochs=False)
    rare = find_rare_classes(manifest.items, SETTINGS.classes, [])
    images = TrainingImages(cache, config, rare=rare, epochs=4)
    ids = [item.id for item in manifest.items]
    trained = {}
    for draw in plan_batches(ids, seed=config.seed, batch_size=2, epochs=4, first=(epoch, 0), sampling=sampling):
        if draw.epoch == epoch:
            batch = images[draw]
            trained |= dict(zip(draw.ids, zip(batch.images.numpy(), batch.masks.numpy(), strict=True), strict=True))
    assert [one.id for one in shown] == ids
    for one in shown:
        image, mask = trained[one.id]
        assert image.shape == ((32, 32, 3) if epoch < 2 else (64, 96, 3))
        assert np.array_equal(one.new_image, image)
        assert np.array_equal(one.new_mask, mask)


def test_a_preview_of_the_last_epochs_is_not_mixed(root: Path) -> None:
    config = with_overrides(Config(), [*SMALL, "mix.mixup=1", "mix.stop_epochs=2"])
    items = index(SETTINGS, root).items[:4]
    shares = [{one.share for one in previews(PreviewSpec(root, config, SETTINGS, items, epoch))} for epoch in range(4)]
    assert 1.0 not in shares[0] | shares[1]
    assert shares[2] == shares[3] == {1.0}


def test_a_preview_tries_the_augmentation_at_the_size_of_the_epoch(root: Path) -> None:
    crop = "[{__class_fullname__: RandomCrop, height: 64, width: 96}]"
    config = with_overrides(Config(), [*SMALL, "sampling.sizes=[32x32]", f"augment.pipeline={crop}"])
    items = index(SETTINGS, root).items[:1]
    with pytest.raises(ConfigError):
        previews(PreviewSpec(root, config, SETTINGS, items, 0))
    assert previews(PreviewSpec(root, config, SETTINGS, items, 3))[0].new_image.shape == (64, 96, 3)


def test_no_image_of_a_preview_is_mixed_with_itself_alone(root: Path) -> None:
    config = with_overrides(Config(), [*SMALL, "mix.mixup=1"])
    items = index(SETTINGS, root).items
    assert all(one.share < 1 for one in previews(PreviewSpec(root, config, SETTINGS, items[:5])))
    assert [one.share for one in previews(PreviewSpec(root, config, SETTINGS, items[:1]))] == [1.0]
