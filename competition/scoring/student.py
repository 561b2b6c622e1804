"""Student's t distribution, so that a listing need not load scipy for two numbers."""

import math
from functools import lru_cache
from statistics import NormalDist

_TINY = 1e-300
_CLOSE = 1e-12


def two_sided_p(t: float, df: float) -> float:
    """The probability that |T| exceeds |t|, for T with `df` degrees of freedom.

    P(|T| > t) = I_x(df / 2, 1 / 2) with x = df / (df + t²), Abramowitz & Stegun 1964, 26.7.1 and 26.5.27.
    """
    if math.isinf(t):
        return 0.0
    return _incomplete_beta(df / 2, 0.5, df / (df + t * t), t * t / (df + t * t))


@lru_cache(maxsize=4096)
def quantile(probability: float, df: float) -> float:
    """The t that T stays below with this probability, for a probability from 0.5 up.

    Newton's method on `two_sided_p`, from the normal quantile: the tail is convex, so it comes from below and cannot
    overshoot.
    """
    wanted = 2 * (1 - probability)
    t = NormalDist().inv_cdf(probability)
    scale = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)
    for _ in range(100):
        density = scale * (1 + t * t / df) ** (-(df + 1) / 2)
        step = (two_sided_p(t, df) - wanted) / (2 * density)
        t += step
        if abs(step) <= _CLOSE * (1 + t):
            break
    return t


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """I_x(a, b) by its continued fraction, from the end where that converges quickly (ibid., 26.5.8).

    `rest` is 1 - x, handed in because a small one is lost in the difference.
    """
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, rest, x)
    if x == 0:
        return 0.0
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    return math.exp(log_front) * _fraction(a, b, x) / a


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of I_x, evaluated from the front (Lentz 1976)."""
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 1000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / _away_from_zero(1 + step * d)
            c = _away_from_zero(1 + step / c)
            value *= d * c
        if abs(d * c - 1) < _CLOSE:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
