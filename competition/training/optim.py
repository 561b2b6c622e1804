"""Optimisers and learning-rate schedules by name."""

import math
from collections.abc import Iterable

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from competition.config import OptimizerConfig, ScheduleConfig

MOMENTUM = 0.9


def make_optimizer(config: OptimizerConfig, parameters: Iterable[nn.Parameter]) -> Optimizer:
    """The optimiser; SGD has momentum 0.9."""
    lr, weight_decay = config.lr, config.weight_decay
    match config.name:
        case "adamw":
            return AdamW(parameters, lr=lr, weight_decay=weight_decay, fused=True)
        case "adam":
            return Adam(parameters, lr=lr, weight_decay=weight_decay, fused=True)
        case "sgd":
            return SGD(parameters, lr=lr, weight_decay=weight_decay, momentum=MOMENTUM, fused=True)


def learning_rate_factor(config: ScheduleConfig, step: int, *, steps: int, steps_per_epoch: int) -> float:
    """What the peak learning rate is multiplied by at a step; a pure function, so a resume needs no state.

    It rises linearly over the warm-up, which takes at most half of the run, then falls as a half cosine or a line that
    would reach 0 one step after the last, or stays.

    Args:
        step: from 0, over all epochs.
        steps: of the whole run.
    """
    warmup = min(round(config.warmup_epochs * steps_per_epoch), steps // 2)
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / (steps - warmup)
    match config.name:
        case "cosine":
            return (1 + math.cos(math.pi * done)) / 2
        case "linear":
            return 1 - done
        case "constant":
            return 1.0
