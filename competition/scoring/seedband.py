"""What repeats with other seeds say about a score, in three numbers; `scoring.seeds` draws them from matrices."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


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
