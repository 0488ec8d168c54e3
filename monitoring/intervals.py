"""Intervals and agreement: what a sample can say and what it cannot. Pure functions, two-sided at 95 % unless told.

- Wilson: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212, the score interval of one proportion.
- Newcombe: R. G. Newcombe, Stat. Med. 17 (1998) 873-890, method 10, for two independent proportions; and
  Stat. Med. 17 (1998) 2635-2650, method 10, for two proportions of the same cases.
- Welch: B. L. Welch, Biometrika 34 (1947) 28-35, the difference of two means whose variances differ.
- Kappa: J. Cohen, Educ. Psychol. Meas. 20 (1960) 37-46, agreement of two people beyond chance.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, variance

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and where the true value lies with the level's confidence."""

    value: float
    low: float
    high: float


def wilson(hits: int, n: int, *, level: float = LEVEL) -> Interval:
    """A proportion ``hits / n``; ``n`` is at least 1."""
    z = _z(level)
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # At the ends the interval touches 0 or 1 exactly; the last digits of the sum would not.
    low = 0.0 if hits == 0 else max(middle - half, 0.0)
    return Interval(share, low, 1.0 if hits == n else min(middle + half, 1.0))


def newcombe(first: tuple[int, int], second: tuple[int, int], *, level: float = LEVEL) -> Interval:
    """Second minus first, of two independent proportions, each (hits, n)."""
    a, b = wilson(*second, level=level), wilson(*first, level=level)
    low = math.hypot(a.value - a.low, b.high - b.value)
    high = math.hypot(a.high - a.value, b.value - b.low)
    difference = a.value - b.value
    return Interval(difference, difference - low, difference + high)


def newcombe_paired(both: int, only_first: int, only_second: int, neither: int, *, level: float = LEVEL) -> Interval:
    """Second minus first, of two proportions of the same cases."""
    n = both + only_first + only_second + neither
    one, two = wilson(both + only_second, n, level=level), wilson(both + only_first, n, level=level)
    margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    cross = both * neither - only_first * only_second
    if cross > 0:
        cross_corrected: float = max(cross - n / 2, 0.0)
    else:
        cross_corrected = cross
    phi = cross_corrected / math.sqrt(margins) if margins else 0.0
    down, up = one.value - one.low, two.high - two.value
    rise, fall = one.high - one.value, two.value - two.low
    difference = one.value - two.value
    return Interval(
        difference,
        difference - math.sqrt(max(down * down - 2 * phi * down * up + up * up, 0.0)),
        difference + math.sqrt(max(rise * rise - 2 * phi * rise * fall + fall * fall, 0.0)),
    )


def welch(first: Sequence[float], second: Sequence[float], *, level: float = LEVEL) -> Interval:
    """Mean of second minus mean of first; each has at least two values."""
    difference = fmean(second) - fmean(first)
    a, b = variance(first) / len(first), variance(second) / len(second)
    if a + b == 0:
        return Interval(difference, difference, difference)
    freedom = (a + b) ** 2 / (a * a / (len(first) - 1) + b * b / (len(second) - 1))
    half = student_quantile((1 + level) / 2, freedom) * math.sqrt(a + b)
    return Interval(difference, difference - half, difference + half)


def kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    """Agreement of two people beyond chance, at most 1; None where they could not but agree."""
    if not pairs:
        return None
    n = len(pairs)
    agreed = sum(a == b for a, b in pairs) / n
    left, right = Counter(a for a, _b in pairs), Counter(b for _a, b in pairs)
    by_chance = sum(left[word] * right[word] for word in left) / (n * n)
    return None if by_chance == 1 else (agreed - by_chance) / (1 - by_chance)


def student_quantile(p: float, freedom: float) -> float:
    """Quantile of Student's t for p above a half, by bisection of its distribution function; within 1e-10."""
    low, high = 0.0, 1.0
    while student(high, freedom) < p and high < 1e12:
        high *= 2
    return _bisect(lambda t: student(t, freedom) < p, low, high)


def student(t: float, freedom: float) -> float:
    """Distribution function of Student's t for t at least 0, by the regularised incomplete beta function."""
    return 1 - 0.5 * _incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def _z(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)


def _bisect(is_below: Callable[[float], bool], low: float, high: float) -> float:
    for _step in range(200):
        middle = (low + high) / 2
        if is_below(middle):
            low = middle
        else:
            high = middle
        if high - low <= 1e-12 * max(high, 1.0):
            break
    return (low + high) / 2


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b) by Lentz's continued fraction (Numerical Recipes, 3rd edition, section 6.4)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    tiny, c, d = 1e-300, 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    total = d
    for m in range(1, 500):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + term * d
            c = 1 + term / c
            d = 1 / (d if abs(d) > tiny else tiny)
            c = c if abs(c) > tiny else tiny
            total *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * total / a
