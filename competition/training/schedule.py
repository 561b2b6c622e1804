"""How the learning rate moves: pure functions of the step and of the finished epochs, so a resume needs no state."""

import math
from collections.abc import Sequence

from competition.config.optimisation import ScheduleConfig

POLY_POWER = 0.9
ONE_CYCLE_RISE = 0.3
ONE_CYCLE_START = 1 / 25
ONE_CYCLE_END = 1 / 25e4
PLATEAU_FACTOR = 0.1


def learning_rate_factor(config: ScheduleConfig, step: int, *, steps: int, steps_per_epoch: int) -> float:
    """What the peak learning rate is multiplied by at a step.

    It rises linearly over the warm-up, which takes at most half of the run, then falls as a half cosine, a line or a
    polynomial (power 0.9; Chen et al., 2018) that would reach 0 one step after the last, or stays.

    `one-cycle` (Smith and Topin, 2019) has no other warm-up: it rises as a half cosine from a 25th over 30 % of the
    run, then falls as one to nearly 0.

    Args:
        step: from 0, over all epochs.
        steps: of the whole run.
    """
    if config.name == "one-cycle":
        return _one_cycle(step, steps)
    warmup = min(round(config.warmup_epochs * steps_per_epoch), steps // 2)
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / (steps - warmup)
    match config.name:
        case "cosine":
            return _half_cosine(1.0, 0.0, done)
        case "linear":
            return 1 - done
        case "poly":
            return math.pow(1 - done, POLY_POWER)
        case "constant" | "plateau":
            return 1.0


def plateau_factor(config: ScheduleConfig, losses: Sequence[float]) -> float:
    """What `plateau` multiplies the learning rate by after these epochs: a tenth each time that the loss has stuck.

    It sticks when `plateau_patience` epochs in a row have not undercut the lowest loss before them. The loss is the
    training loss, so that the validation fold decides nothing about the training that it is to judge.
    """
    if config.name != "plateau":
        return 1.0
    factor, lowest, waited = 1.0, math.inf, 0
    for loss in losses:
        waited = 0 if loss < lowest else waited + 1
        lowest = min(lowest, loss)
        if waited == config.plateau_patience:
            factor, waited = factor * PLATEAU_FACTOR, 0
    return factor


def _one_cycle(step: int, steps: int) -> float:
    top = ONE_CYCLE_RISE * steps
    if step < top:
        return _half_cosine(ONE_CYCLE_START, 1.0, step / top)
    return _half_cosine(1.0, ONE_CYCLE_END, (step - top) / (steps - top))


def _half_cosine(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2
