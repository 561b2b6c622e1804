"""What one condition is worth, over every parent that it was tried on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from competition.scoring.student import quantile, two_sided_p
from competition.scoring.verdicts import LEVEL, Call, Effect


@dataclass(frozen=True)
class PooledEffect:
    """The mean of a condition's effects, as a fraction.

    Args:
        se: its standard error; None where no seed deviation is known.
        df: degrees of freedom of `se`.
        parents: how many effects it is the mean of.
    """

    delta: float
    se: float | None
    df: float
    parents: int

    @property
    def half(self) -> float | None:
        """Half the width of the 95 % interval."""
        return None if self.se is None else quantile(1 - LEVEL / 2, self.df) * self.se

    @property
    def p(self) -> float | None:
        """Two-sided, of this condition alone."""
        if self.se is None:
            return None
        return two_sided_p(self.delta / self.se, self.df) if self.se else float(self.delta == 0)

    def call(self, *, level: float = LEVEL) -> Call:
        """The verdict, where p has to meet `level`."""
        if self.p is None:
            return Call.NEEDS_SEEDS
        if self.p > level:
            return Call.TIE
        return Call.BETTER if self.delta > 0 else Call.WORSE


def pool(effects: Sequence[Effect]) -> PooledEffect:
    """The mean effect, with what images, seeds and parents leave open.

    Every comparison is made on the same images, so their error does not shrink with more parents: the mean of the
    errors stays. Seeds are drawn anew for each, so theirs shrinks (between the same models there is none). What is left
    of the spread from parent to parent is a variance of its own (the unweighted estimate of a random-effects model,
    Hedges 1983, Psychological Bulletin 93). The degrees of freedom are the fewest that any of the comparisons has.
    """
    number = len(effects)
    delta = fmean(effect.delta for effect in effects)
    if not all(effect.seeds_known and not math.isnan(effect.se_images) for effect in effects):
        return PooledEffect(delta, None, math.inf, number)
    images = fmean(effect.se_images for effect in effects)
    seeds = fmean(effect.se_seeds**2 for effect in effects)
    between = max(0.0, variance([e.delta for e in effects]) - seeds) if number > 1 else 0.0
    df = min(1e6, *(effect.df for effect in effects))
    return PooledEffect(delta, math.sqrt(images**2 + (seeds + between) / number), df, number)
