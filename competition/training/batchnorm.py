"""The running statistics of batch normalisation, measured again when training has not brought them up to date."""

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
from competition.training.dataset import plan_batches, steps_per_epoch
from competition.training.network.model import Segmenter
from competition.training.sampling import crop
from competition.training.seeds import derive

MAX_INITIAL_SHARE = 0.01
MAX_BATCHES = 32


def needs_measuring(wanted: BatchNorm, network: nn.Module, *, steps: int, averaged: bool) -> bool:
    """True if the network's running statistics must be measured before it is evaluated.

    A layer of momentum m keeps the share (1 - m)^n of its initial statistics after n steps. `auto` measures while more
    than 1 % is left in any layer (44 steps at torch's 0.1, 459 at the 0.01 of SMP's efficientnets), and always for
    averaged weights.

    Args:
        steps: number of training steps so far.
        averaged: True if the weights are a mean over steps. No training step has seen the statistics of such weights.
    """
    momenta = [
        layer.momentum
        for layer in network.modules()
        if isinstance(layer, _BatchNorm) and layer.running_mean is not None
    ]
    if wanted is not BatchNorm.AUTO:
        return wanted is BatchNorm.MEASURED and bool(momenta)
    # a momentum of None is a plain mean over all steps, which is up to date after the first
    return any(averaged or (m is not None and (1 - m) ** steps > MAX_INITIAL_SHARE) for m in momenta)


def measure(
    segmenter: Segmenter,
    cache: Cache,
    ids: Sequence[str],
    config: Config,
    *,
    device: torch.device,
    tick: Callable[[int, int], None],
) -> None:
    """Set the running statistics to their mean over at most 32 batches of training images without augmentation.

    The result depends on the weights, the images and the seed alone. Wu and Johnson ("Rethinking Batch in BatchNorm",
    2021, arXiv:2105.07576) call these precise statistics.

    Args:
        tick: called after each batch with the number of batches done and of all batches; may raise to stop.
    """
    torch.manual_seed(derive(config.seed, "batch norm"))  # update_bn runs in training mode, with dropout
    update_bn(_batches(cache, ids, config, tick), segmenter, device)


def _batches(cache: Cache, ids: Sequence[str], config: Config, tick: Callable[[int, int], None]) -> Iterator[Tensor]:
    size = config.train.batch_size
    number = min(MAX_BATCHES, steps_per_epoch(len(ids), size))
    plans = plan_batches(ids, seed=derive(config.seed, "batch norm"), batch_size=size, epochs=1)
    for done, plan in enumerate(islice(plans, number), start=1):
        yield torch.from_numpy(np.stack([_image(cache, image_id, config) for image_id in plan.ids]))
        tick(done, number)


def _image(cache: Cache, image_id: str, config: Config) -> Pixels:
    """The image, or a random part of it if training uses parts."""
    rng = np.random.default_rng(derive(config.seed, "batch norm", image_id))
    return crop(*cache.pair(image_id), config.train_size, (), rng)[0]
