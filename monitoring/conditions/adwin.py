"""ADWIN's test: some cut of the newest values leaves two parts whose means differ by more than chance allows.

Of every cut into parts of n0 and n1 values the difference of the means is divided by
sqrt(2 v ln(2/d) / m) + 2 R ln(2/d) / (3 m), where v is the variance and R the range of all n values,
m = 1 / (1/n0 + 1/n1) and d = 0.002 / n; from 1 on a change is certain at that level. All cuts of the window are looked
at, where the original keeps a histogram of them and drops what lies before a change. Bifet and Gavaldà, "Learning from
Time-Changing Data with Adaptive Windowing" (SDM 2007), section 3.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from statistics import pvariance
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy

from monitoring.change import Change, window_setting
from monitoring.condition import conditions
from monitoring.setting import Setting

CONFIDENCE = 0.002
LEAST_PART = 5


@conditions.register
class Adwin(Change):
    key: ClassVar[str] = "adwin"
    label: ClassVar[Any] = gettext_lazy("A change of the mean (ADWIN)")
    about: ClassVar[Any] = gettext_lazy(
        "The newest values have another mean than those before, by a test that is wrong in at most 1 of 500 windows."
    )
    order: ClassVar[int] = 70
    settings: ClassVar[tuple[Setting, ...]] = (window_setting("200"),)
    limit_help: ClassVar[Any] = gettext_lazy("From 1 on the change is certain; 0.8 warns earlier.")

    def strength(self, values: Sequence[float]) -> tuple[float, float]:
        count = len(values)
        spread, span = pvariance(values), max(values) - min(values)
        if not span:
            return 0.0, values[0]
        surely = math.log(2 * count / CONFIDENCE)
        sums = list(accumulate(values))
        found, before = 0.0, sums[-1] / count
        for cut in range(LEAST_PART, count - LEAST_PART + 1):
            first, second = sums[cut - 1] / cut, (sums[-1] - sums[cut - 1]) / (count - cut)
            part = 1 / (1 / cut + 1 / (count - cut))
            chance = math.sqrt(2 * spread * surely / part) + 2 * span * surely / (3 * part)
            ratio = abs(first - second) / chance
            if ratio > found:
                found, before = ratio, first
        return found, before
