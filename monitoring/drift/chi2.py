"""Two-sample chi-square test."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from django.utils.translation import gettext_lazy as _

from monitoring.profiles.columns import Column
from monitoring.profiles.shares import Shares, tallies
from monitoring.profiles.tails import chi2_sf
from monitoring.statistic import EVIDENTLY, NANNYML, VALUES, Measured, Statistic, statistics

EXPECTED = 5


@statistics.register
class _ChiSquare(Statistic):
    """Cramér's V of the table of data set by category, with the p-value of the chi-square test of homogeneity.

    Both data sets are samples: the reference too has its noise. Categories of which fewer than five rows are expected
    in either are pooled (Cochran 1954). V = sqrt(chi² / (n + m)) is the effect, which does not grow with the rows.
    """

    key = "chi2"
    label = _("Chi-square (Cramér’s V)")
    definition = _(
        "Cramér’s V of data set by category, 0 to 1, with the p-value of the two-sample chi-square test. Categories "
        "with fewer than five expected rows are pooled. The reference counts as a sample, not as the truth."
    )
    kinds = VALUES
    warn, act = 0.1, 0.2
    by: ClassVar = {
        EVIDENTLY: _(
            "One-sample: the reference counts as the truth, without noise of its own, which calls a difference "
            "significant too often; nothing is pooled."
        ),
        NANNYML: _("Two-sample; nothing is pooled, and with two categories Yates’ correction is applied."),
    }

    def distance(self, reference: Column, current: Column, by: str) -> Measured:
        r, c = tallies(reference, current)
        if by == EVIDENTLY:
            return _one_sample(r, c)
        if not by:
            r, c = _pooled(r, c)
        there = r + c > 0
        r, c = r[there], c[there]
        if len(r) < 2:
            return Measured(0.0, 1.0, 0.0)
        expected = np.outer((r.sum(), c.sum()), (r + c) / (r + c).sum())
        gaps = np.abs(np.stack((r, c)) - expected)
        if by == NANNYML and len(r) == 2:
            gaps = np.maximum(gaps - np.minimum(0.5, gaps), 0)
        chi2 = float((gaps**2 / expected).sum())
        return Measured(float(np.sqrt(chi2 / (r + c).sum())), chi2_sf(chi2, len(r) - 1), 0.0)


def _one_sample(r: Shares, c: Shares) -> Measured:
    there = r > 0
    if not there.all() and c[~there].sum() > 0:
        return Measured(1.0, 0.0, 0.0, str(_("There are categories that the reference does not know.")))
    expected = r[there] / r.sum() * c.sum()
    chi2 = float(((c[there] - expected) ** 2 / expected).sum())
    return Measured(float(np.sqrt(chi2 / c.sum())), chi2_sf(chi2, int(there.sum()) - 1), 0.0)


def _pooled(r: Shares, c: Shares) -> tuple[Shares, Shares]:
    least = (r + c) * min(r.sum(), c.sum()) / (r.sum() + c.sum())
    rare = least < EXPECTED
    if not rare.any():
        return r, c
    return np.append(r[~rare], r[rare].sum()), np.append(c[~rare], c[rare].sum())
