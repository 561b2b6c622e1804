"""The running statistics of batch normalisation, measured anew where training has not brought them up to date."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import update_bn

from competition.config.experiment import BatchNorm, Config
from competition.data.cache import Cache
from competition.data.images import Pixels
from competition.training.dataset import draws, steps_per_epoch
from competition.training.network.model import Segmenter
from competition.training.sampling import crop
from competition.training.seeds import derive

MOST_LEFT = 0.01
MOST_BATCHES = 32


def needs_measuring(wanted: BatchNorm, network: nn.Module, *, steps: int, averaged: bool) -> bool:
    """Whether the network's running statistics are to be measured anew before it is evaluated.

    A layer of momentum m keeps the share (1 - m)^n of its first statistics after n steps. `auto` measures while more
    than 1 % is left in any layer (44 steps at torch's 0.1, 459 at the 0.01 of SMP's efficientnets), and always for
    averaged weights, whose statistics no step has seen.

    Args:
        steps: that the network was trained for.
        averaged: the weights are a mean over steps.
    """
    momenta = [
        layer.momentum
        for layer in network.modules()
        if isinstance(layer, _BatchNorm) and layer.running_mean is not None
    ]
    if wanted is not BatchNorm.AUTO:
        return wanted is BatchNorm.MEASURED and bool(momenta)
    return any(averaged or (m is not None and (1 - m) ** steps > MOST_LEFT) for m in momenta)


def measure(
    segmenter: Segmenter,
    cache: Cache,
    ids: Sequence[str],
    config: Config,
    *,
    device: torch.device,
    tick: Callable[[int, int], None],
) -> None:
    """Set the running statistics to the mean over at most 32 batches of training images, without augmentation.

    A function of the weights, the images and the seed alone (Wu and Johnson, 2021, call these precise statistics).

    Args:
        tick: called after each batch with how many are done and how many there are; may raise to stop.
    """
    torch.manual_seed(derive(config.seed, "batch norm"))  # dropout
    update_bn(_batches(cache, ids, config, tick), segmenter, device)


def _batches(cache: Cache, ids: Sequence[str], config: Config, tick: Callable[[int, int], None]) -> Iterator[Tensor]:
    size = config.train.batch_size
    number = min(MOST_BATCHES, steps_per_epoch(len(ids), size))
    wanted = draws(ids, seed=derive(config.seed, "batch norm"), batch_size=size, epochs=1)
    for done, draw in enumerate(islice(wanted, number), start=1):
        yield torch.from_numpy(np.stack([_part(cache, image_id, config) for image_id in draw.ids]))
        tick(done, number)


def _part(cache: Cache, image_id: str, config: Config) -> Pixels:
    """The image, or a part of it where training sees parts."""
    rng = np.random.default_rng(derive(config.seed, "batch norm", image_id))
    return crop(*cache.pair(image_id), config.train_size, (), rng)[0]
