"""Jensen-Shannon distance."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from django.utils.translation import gettext_lazy as _

from monitoring.drift.psi import evidently_shares
from monitoring.profiles import Numbers
from monitoring.profiles.columns import Column
from monitoring.profiles.shares import Shares, doane, in_equal_bins, plain, tallies
from monitoring.statistic import EVIDENTLY, NANNYML, Measured, Statistic, statistics


@statistics.register
class _JensenShannon(Statistic):
    """The square root of the Jensen-Shannon divergence to base 2, between 0 and 1.

    JSD = H((r + c) / 2) - (H(r) + H(c)) / 2 (Lin 1991), over the deciles of the reference or over categories. Empty
    bins need no filling: 0 log 0 = 0.
    """

    key = "js"
    label = _("Jensen–Shannon distance")
    definition = _(
        "Square root of the Jensen–Shannon divergence, logarithm to base 2: 0 is the same, 1 has nothing in common. "
        "Bins: tenths of the reference, or one for each category. Empty bins count as they are."
    )
    warn, act = 0.1, 0.2
    by: ClassVar = {
        EVIDENTLY: _(
            "Natural logarithm, so 0.83 is the most; equal bins over both data sets by the rule of Sturges (up to 20 "
            "different values: one bin a value)."
        ),
        NANNYML: _(
            "Base 2; equal bins over the reference by the rule of Doane, and one bin for everything outside of them."
        ),
    }

    def distance(self, reference: Column, current: Column, by: str) -> Measured:
        if by == EVIDENTLY:
            r, c = evidently_shares(reference, current)
        elif by == NANNYML:
            r, c = nannyml_shares(reference, current)
        else:
            r, c = map(plain, tallies(reference, current))
        base = math.e if by == EVIDENTLY else 2
        return Measured(_distance(r, c, base), error=0.0 if reference.is_exact and current.is_exact else None)


def nannyml_shares(reference: Column, current: Column) -> tuple[Shares, Shares]:
    """Shares as the methods of NannyML 0.13 bin them."""
    if isinstance(reference, Numbers) and isinstance(current, Numbers):
        edges = doane(reference)
        if edges is None:
            return plain(tallies(reference, current)[0]), plain(tallies(reference, current)[1])
        r, c = in_equal_bins(reference, current, edges)
        return np.append(r, 0.0), np.append(c, max(0.0, 1 - c.sum()))
    r, c = tallies(reference, current)
    return plain(r), plain(c)


def _distance(r: Shares, c: Shares, base: float) -> float:
    r, c = plain(r), plain(c)
    middle = (r + c) / 2
    divergence = (_relative_entropy(r, middle) + _relative_entropy(c, middle)) / 2
    return math.sqrt(max(0.0, divergence) / math.log(base))


def _relative_entropy(shares: Shares, middle: Shares) -> float:
    there = shares > 0
    return float((shares[there] * np.log(shares[there] / middle[there])).sum())
