"""What a public leaderboard says, and what it does not: pure functions of scores (fractions) and numbers of images.

A public score is a measurement on few images. Whoever selects by it selects luck as well, and the private images take
the luck back: A. Blum and M. Hardt, "The Ladder: a reliable leaderboard for machine learning competitions", ICML 2015.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

_NORMAL = NormalDist()


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """The rank correlation, from -1 to 1; None for fewer than three pairs, or no variety."""
    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    from scipy.stats import spearmanr  # it takes half a second to load, and most listings need no correlation

    return round(float(spearmanr(first, second).statistic), 12)  # it says 0.9999999999999999 of some equal orders


def spearman_interval(rho: float, pairs: int, *, confidence: float = 0.95) -> tuple[float, float] | None:
    """A confidence interval of a rank correlation; None for fewer than four pairs.

    D. Bonett and T. Wright, "Sample size requirements for estimating Pearson, Kendall and Spearman correlations",
    Psychometrika 65 (2000): Fisher's z with the variance (1 + rho^2 / 2) / (n - 3).
    """
    if pairs < 4:
        return None
    if abs(rho) == 1:
        return rho, rho
    half = _NORMAL.inv_cdf(0.5 + confidence / 2) * math.sqrt((1 + rho * rho / 2) / (pairs - 3))
    z = math.atanh(rho)
    return math.tanh(z - half), math.tanh(z + half)


def standard_error(cv_error: float, *, cv_images: int, images: int) -> float:
    """The standard error of a score on so many images, from that of the CV score.

    The error of a score that sums or averages over images falls with the root of their number. This takes the board's
    images for a random draw of images like the training images, grouped likewise.
    """
    return cv_error * math.sqrt(cv_images / images)


def swap_probability(
    *,
    cv_lead: float,
    public_lead: float | None,
    lead_error: float,
    cv_images: int,
    public_images: int,
    private_images: int,
) -> float:
    """The probability that the candidate ahead on the public board is behind on the private one.

    Its lead on an endless supply of images is estimated from the training and the public images together, each
    weighted by its number of images; the private images are a fresh draw. With s the standard deviation of the lead
    on one image, the private lead is normal about the estimate with variance
    s^2 (1 / (cv_images + public_images) + 1 / private_images): the usual predictive variance of a mean.

    Args:
        cv_lead: the leader's CV score less the other's; below 0 where CV sees it the other way round.
        public_lead: likewise on the public board; None where one of them has no public score.
        lead_error: the standard error of `cv_lead`, of the paired difference (`jackknife.standard_error`).
    """
    lead, error = private_lead(
        cv_lead=cv_lead,
        public_lead=public_lead,
        lead_error=lead_error,
        cv_images=cv_images,
        public_images=public_images,
        private_images=private_images,
    )
    return probability_below_zero(lead, error)


def private_lead(
    *,
    cv_lead: float,
    public_lead: float | None,
    lead_error: float,
    cv_images: int,
    public_images: int,
    private_images: int,
) -> tuple[float, float]:
    """The lead to expect on the private images, and its standard deviation; see `swap_probability`."""
    seen = cv_images + (public_images if public_lead is not None else 0)
    lead = (cv_images * cv_lead + (seen - cv_images) * (public_lead or 0.0)) / seen
    per_image = lead_error * math.sqrt(cv_images)
    return lead, per_image * math.sqrt(1 / seen + 1 / private_images)


def probability_below_zero(mean: float, error: float) -> float:
    """The probability that a normal variable is below 0; a half where it is 0 for certain."""
    if error == 0:
        return 0.5 if mean == 0 else float(mean < 0)
    return _NORMAL.cdf(-mean / error)


def gain_of_two(lead: float, error: float) -> float:
    """By how much the better of two final submissions is expected to beat the first alone.

    E[max(0, -L)] for a private lead L of the first over the second, normal about `lead` with standard deviation
    `error`: C. Clark, "The greatest of a finite set of random variables", Operations Research 9 (1961).
    """
    if error == 0:
        return max(0.0, -lead)
    z = lead / error
    return error * _NORMAL.pdf(z) - lead * _NORMAL.cdf(-z)


def unsupported_climb(cv: Sequence[float], public: Sequence[float]) -> list[tuple[int, int]]:
    """The latest steps up the public board that no better CV stands behind.

    Args:
        cv: in the order of submission.
        public: likewise.

    Returns:
        Positions (from, to) of the public bests, oldest step first; only those since CV last rose with the board.
    """
    best, steps, highest = 0, list[tuple[int, int]](), cv[0] if cv else 0.0
    for place in range(1, len(cv)):
        if public[place] <= public[best]:
            continue
        steps = [] if cv[place] > highest else [*steps, (best, place)]
        best, highest = place, max(highest, cv[place])
    return steps
