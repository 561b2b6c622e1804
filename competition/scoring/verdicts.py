"""Better, worse, a tie, or too few seeds to say: what a difference between two scores is worth."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist, mean, stdev

from competition.scoring.student import quantile, two_sided_p

LEVEL = 0.05
"""How often a difference that is none may be called one."""
POWER = 0.8
"""How often a difference of the detectable size is found."""
LEAST_SEED_DF = 2.0
"""A deviation from fewer degrees of freedom is as good as unknown: with one, chance makes it near zero too often."""
MOST_SEEDS = 5
"""As many seeds of each as it is reasonable to ask for."""
_NORMAL_BAR = NormalDist().inv_cdf(1 - LEVEL / 2)


class Call(StrEnum):
    """What is said of an experiment against its parent."""

    BETTER = "better"
    WORSE = "worse"
    TIE = "tie"
    """This set-up cannot tell them apart, and a few more seeds would not change that."""
    NEEDS_SEEDS = "needs-seeds"
    """More seeds could tell, or nobody knows yet what a seed does to the score."""


@dataclass(frozen=True)
class SeedBand:
    """What repeats with other seeds say about the score of one run.

    Args:
        spread: standard deviation of a run's score from seed to seed, on these images.
        by_image: the part of it that comes from each image going its own way, which the bootstrap over images sees too.
        df: degrees of freedom of `spread`.
    """

    spread: float
    by_image: float
    df: float

    @property
    def sd(self) -> float:
        """The part of `spread` that moves all images together: sigma_seed of a run, what the bootstrap cannot see."""
        return math.sqrt(max(0.0, self.spread**2 - self.by_image**2))


def pooled(bands: Sequence[SeedBand]) -> SeedBand:
    """One deviation from several, each counting by its degrees of freedom (the pooled variance)."""
    if len(bands) == 1:
        return bands[0]
    df = sum(band.df for band in bands)
    spread = sum(band.df * band.spread**2 for band in bands) / df
    by_image = sum(band.df * band.by_image**2 for band in bands) / df
    return SeedBand(math.sqrt(spread), math.sqrt(by_image), df)


@dataclass(frozen=True)
class Effect:
    """A difference of two scores, as fractions, and what it owes to chance.

    Args:
        delta: the experiment's score less its parent's, each the mean of `runs`.
        se_images: standard error from the paired bootstrap over images; NaN where there are too few to tell.
        units: images, or groups of them, that were drawn from.
        runs: how many seeds each of the two was run with.
        band: what a seed does to the score of one run; None where nobody knows.
        same_models: both are the same trained models, which only predict differently: no seed comes between them.
    """

    delta: float
    se_images: float
    units: int
    runs: tuple[int, int]
    band: SeedBand | None
    same_models: bool = False

    @property
    def seeds_known(self) -> bool:
        """Whether the deviation from seed to seed rests on enough to be used, or does not matter."""
        return self.same_models or (self.band is not None and self.band.df >= LEAST_SEED_DF)

    @property
    def se_seeds(self) -> float:
        """Standard error from seeds, sqrt(sigma² / R_a + sigma² / R_b).

        With one run of each and K folds of equal weight that is sqrt(2 sigma_fold² / K).
        """
        if self.same_models:
            return 0.0
        return self.band.sd * math.sqrt(_shares(self.runs)) if self.band else math.nan

    @property
    def se(self) -> float:
        """Total standard error: images and seeds are independent sources, so their variances add up."""
        return math.hypot(self.se_images, self.se_seeds)

    @property
    def df(self) -> float:
        """Degrees of freedom of `se` (Satterthwaite 1946): each variance squared, over its own degrees of freedom."""
        if self.same_models:
            return max(1.0, self.units - 1.0)
        assert self.band is not None
        doubt = self.se_images**4 / max(1, self.units - 1)
        doubt += (self.band.spread**2 * _shares(self.runs)) ** 2 / self.band.df
        return max(1.0, self.se**4 / doubt) if doubt else math.inf

    def se_with(self, seeds: int) -> float:
        """The standard error if each were run with so many seeds: what single images owe to a seed shrinks as well."""
        if self.same_models:
            return self.se_images
        assert self.band is not None
        by_image = self.band.by_image**2
        of_images = max(0.0, self.se_images**2 - by_image * _shares(self.runs))
        return math.sqrt(of_images + (by_image + self.band.sd**2) * _shares((seeds, seeds)))


@dataclass(frozen=True)
class Verdict:
    """What is said of an effect; numbers are fractions, and None where no seed deviation is known.

    Args:
        low: lower end of the 95 % interval of this one comparison; `high` likewise.
        p: two-sided, of this one comparison.
        detectable: the smallest true effect that this one comparison would find four times out of five,
            (t_0.975 + t_0.8) SE (Bloom 1995, Evaluation Review 19).
        seeds_wanted: with so many seeds of each, a difference of this size would be called; None where it is called
            already, or where `MOST_SEEDS` would not do.
    """

    call: Call
    low: float | None
    high: float | None
    p: float | None
    detectable: float | None
    seeds_wanted: int | None


def judge(effect: Effect, *, level: float = LEVEL) -> Verdict:
    """The verdict on one effect.

    Args:
        level: how small p must be; smaller where many comparisons are made (see `holm`).
    """
    if not effect.seeds_known:
        return Verdict(Call.NEEDS_SEEDS, None, None, None, None, None)
    if math.isnan(effect.se):
        return Verdict(Call.TIE, None, None, None, None, None)
    se, df = effect.se, _usable(effect.df)
    half = quantile(1 - LEVEL / 2, df) * se
    p = two_sided_p(_ratio(effect.delta, se), df)
    detectable = half + quantile(POWER, df) * se
    wanted = None if p <= level else _seeds_wanted(effect, df, level)
    call = _call(effect.delta, p, level, wanted)
    return Verdict(call, effect.delta - half, effect.delta + half, p, detectable, wanted)


def p_value(effect: Effect) -> float | None:
    """Two-sided p of one comparison; None where no seed deviation is known or too few images can tell."""
    if not effect.seeds_known or math.isnan(effect.se):
        return None
    return two_sided_p(_ratio(effect.delta, effect.se), _usable(effect.df))


def cannot_meet_level(effect: Effect) -> bool:
    """Whether p is above `LEVEL` for certain: t has heavier tails than the normal distribution, whatever its df.

    In a family of thousands, this spares most of the exact p-values.
    """
    return effect.seeds_known and abs(effect.delta) < _NORMAL_BAR * effect.se


def holm(p_values: Sequence[float], *, level: float = LEVEL) -> list[float]:
    """The level that each comparison of a family has to meet so that all together err with probability `level`.

    Holm 1979, Scandinavian Journal of Statistics 6: the smallest of m p-values has to meet level / m, the next
    level / (m - 1), …; the first that fails ends it, and what comes after it has to meet no more than it had to.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    levels = [0.0] * len(p_values)
    stopped: float | None = None
    for rank, i in enumerate(order):
        levels[i] = stopped if stopped is not None else level / (len(order) - rank)
        if stopped is None and p_values[i] > levels[i]:
            stopped = levels[i]
    return levels


@dataclass(frozen=True)
class FoldTest:
    """What the folds alone say, with the correction for folds that train on the same images."""

    delta: float
    se: float
    low: float
    high: float
    p: float


def corrected_t(fold_deltas: Sequence[float]) -> FoldTest | None:
    """Nadeau and Bengio's corrected resampled t-test over the differences of K folds; None for fewer than two.

    Machine Learning 52 (2003): folds share training images, so the mean of their differences varies by
    (1/K + n_valid/n_train) s², not by s²/K; in cross-validation n_valid/n_train is 1/(K-1). K - 1 degrees of freedom.
    """
    folds = len(fold_deltas)
    if folds < 2:
        return None
    delta, df = mean(fold_deltas), folds - 1
    se = math.sqrt(1 / folds + 1 / (folds - 1)) * stdev(fold_deltas)
    half = quantile(1 - LEVEL / 2, df) * se
    return FoldTest(delta, se, delta - half, delta + half, two_sided_p(_ratio(delta, se), df))


def _call(delta: float, p: float, level: float, wanted: int | None) -> Call:
    if p <= level:
        return Call.BETTER if delta > 0 else Call.WORSE
    return Call.TIE if wanted is None else Call.NEEDS_SEEDS


def _seeds_wanted(effect: Effect, df: float, level: float) -> int | None:
    """The fewest seeds of each, more than now, with which a difference of this size would stand outside."""
    bar = quantile(1 - level / 2, df)
    enough = (n for n in range(min(effect.runs) + 1, MOST_SEEDS + 1) if abs(effect.delta) > bar * effect.se_with(n))
    return next(enough, None)


def _usable(df: float) -> float:
    """Beyond a million, t is the normal distribution."""
    return min(df, 1e6)


def _shares(runs: tuple[int, int]) -> float:
    return 1 / runs[0] + 1 / runs[1]


def _ratio(delta: float, se: float) -> float:
    if se == 0:
        return 0.0 if delta == 0 else math.inf
    return delta / se
