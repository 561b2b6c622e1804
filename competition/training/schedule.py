"""Learning rate schedules: pure functions of the step and the finished epochs, so a resume needs no state."""

import math
from collections.abc import Sequence

from competition.config.optimisation import ScheduleConfig

POLY_POWER = 0.9
ONE_CYCLE_RISE = 0.3
ONE_CYCLE_START = 1 / 25
ONE_CYCLE_END = 1 / 25e4
PLATEAU_FACTOR = 0.1


def learning_rate_factor(config: ScheduleConfig, step: int, *, steps: int, steps_per_epoch: int) -> float:
    """The factor for the peak learning rate at a step, 0 to 1.

    It rises linearly over the warm-up, which takes at most half of the run. Then it falls as a half cosine, a line or a
    polynomial (power 0.9; Chen et al., 2018), which would reach 0 one step after the last; or it stays at 1.

    `one-cycle` (Smith and Topin, 2019) has no other warm-up: it rises from 1/25 over 30 % of the run, then falls to
    nearly 0, both as a half cosine.

    Args:
        step: from 0, over all epochs.
        steps: of the whole run.
    """
    if config.name == "one-cycle":
        return _one_cycle(step, steps)
    warmup = min(round(config.warmup_epochs * steps_per_epoch), steps // 2)
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / (steps - warmup)
    match config.name:
        case "cosine":
            return _half_cosine(1.0, 0.0, progress)
        case "linear":
            return 1 - progress
        case "poly":
            return math.pow(1 - progress, POLY_POWER)
        case "constant" | "plateau":
            return 1.0


def plateau_factor(config: ScheduleConfig, losses: Sequence[float]) -> float:
    """The factor of the `plateau` schedule after epochs with these training losses; 1 for other schedules.

    It is divided by 10 each time that `plateau_patience` epochs in a row did not fall below the lowest loss before
    them.
    """
    if config.name != "plateau":
        return 1.0
    # The training loss, not the validation score: the validation fold must not steer the training that it will judge.
    factor, lowest, waited = 1.0, math.inf, 0
    for loss in losses:
        waited = 0 if loss < lowest else waited + 1
        lowest = min(lowest, loss)
        if waited == config.plateau_patience:
            factor, waited = factor * PLATEAU_FACTOR, 0
    return factor


def _one_cycle(step: int, steps: int) -> float:
    peak = ONE_CYCLE_RISE * steps
    if step < peak:
        return _half_cosine(ONE_CYCLE_START, 1.0, step / peak)
    return _half_cosine(1.0, ONE_CYCLE_END, (step - peak) / (steps - peak))


def _half_cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2
