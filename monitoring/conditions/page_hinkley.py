"""Page-Hinkley: a lasting change of the mean, found by what deviations in one direction add up to.

For a rise, m(t) adds up x(t) - mean(t) - delta, where mean(t) is that of the values so far; the statistic is m(t) minus
its least value so far, and for a fall the same with the signs turned. Deviations are measured in the standard deviation
of the values from one to the next (the median absolute difference, scaled for a normal distribution), which a jump does
not inflate. Page, "Continuous Inspection Schemes", Biometrika 41 (1954); Hinkley, Biometrika 58 (1971).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, median, pstdev
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy

from monitoring.change import Change
from monitoring.condition import conditions

DELTA = 0.5
"""Standard deviations that a value may be off without adding up."""
NORMAL = 0.6745 * 2**0.5
"""Median absolute difference of two normal values, in standard deviations."""


@conditions.register
class PageHinkley(Change):
    key: ClassVar[str] = "page_hinkley"
    label: ClassVar[Any] = gettext_lazy("A lasting change (Page–Hinkley)")
    about: ClassVar[Any] = gettext_lazy(
        "Small deviations in one direction add up: for concept drift in labelled results, or a slow decay."
    )
    order: ClassVar[int] = 60
    limit_help: ClassVar[Any] = gettext_lazy("In standard deviations that have added up, such as 12 and 20.")

    def strength(self, values: Sequence[float]) -> tuple[float, float]:
        spread = median(abs(b - a) for a, b in pairwise(values)) / NORMAL or pstdev(values)
        if not spread:
            return 0.0, values[0]
        total = rise = fall = least_rise = greatest_fall = 0.0
        turned_up = turned_down = 0
        for index, value in enumerate(values, 1):
            total += value
            off = (value - total / index) / spread
            rise, fall = rise + off - DELTA, fall + off + DELTA
            if rise < least_rise:
                least_rise, turned_up = rise, index
            if fall > greatest_fall:
                greatest_fall, turned_down = fall, index
        up, down = rise - least_rise, greatest_fall - fall
        turned = turned_up if up >= down else turned_down
        return max(up, down), fmean(values[:turned]) if turned else values[0]
