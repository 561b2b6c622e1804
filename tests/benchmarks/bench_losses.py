"""The baseline's loss with its gradient, against SMP's DiceLoss: `python -m tests.benchmarks.bench_losses`.

Cross-entropy plus Dice over 8 images of 192x256 and 11 classes, one pixel in ten void; logits as a network that
computes in bfloat16 on a CPU leaves them.
"""

import statistics
import time
from collections.abc import Callable

import torch
from segmentation_models_pytorch.losses import DiceLoss
from torch import Tensor
from torch.nn import functional as F

from competition.config.experiment import LossConfig
from competition.config.settings import IGNORE_INDEX
from competition.training.losses import SegmentationLoss

ROUNDS = 15


def main() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(8, 11, 192, 256, generator=generator).bfloat16().contiguous(memory_format=torch.channels_last)
    masks = torch.randint(0, 11, (8, 192, 256), dtype=torch.uint8, generator=generator)
    masks[torch.rand(masks.shape, generator=generator) < 0.1] = IGNORE_INDEX
    ours, dice = SegmentationLoss(LossConfig()), DiceLoss("multiclass", ignore_index=IGNORE_INDEX)

    def theirs(logits: Tensor, masks: Tensor) -> Tensor:
        target = masks.long()
        loss: Tensor = F.cross_entropy(logits, target, ignore_index=IGNORE_INDEX) + dice(logits, target)
        return loss

    seconds: dict[str, list[float]] = {"SMP": [], "comp": []}
    values = {}
    for _round in range(ROUNDS):
        for name, loss in (("SMP", theirs), ("comp", ours)):
            took, values[name] = timed(loss, logits, masks)
            seconds[name].append(took)
    by_hand, comp = (1e3 * statistics.median(seconds[name]) for name in ("SMP", "comp"))
    print(f"cross-entropy + Dice with gradient: SMP {by_hand:.1f} ms, comp {comp:.1f} ms, ratio {by_hand / comp:.2f}")
    print(f"the loss itself: SMP {values['SMP']:.5f}, comp {values['comp']:.5f}")
    if comp > by_hand:
        raise SystemExit(1)


def timed(loss: Callable[[Tensor, Tensor], Tensor], logits: Tensor, masks: Tensor) -> tuple[float, float]:
    """Seconds, and the loss."""
    given = logits.clone().requires_grad_()
    since = time.perf_counter()
    found = loss(given.float(), masks)
    found.backward()
    return time.perf_counter() - since, found.item()


if __name__ == "__main__":
    main()
