"""Wasserstein distance in units of the reference's spread."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from django.utils.translation import gettext_lazy as _

from monitoring.profiles import Numbers
from monitoring.profiles.columns import Column
from monitoring.profiles.exact import rounded
from monitoring.statistic import CELLS, NANNYML, Measured, Statistic, statistics


@statistics.register
class _Wasserstein(Statistic):
    """W1 = ∫ |R(x) - C(x)| dx, divided by the standard deviation of the reference.

    The integral is summed over the edges of the lattice; outside of it the two are as far apart as their mean excess
    over its ends. It is off by no more than half a cell for each of the two, and exact for whole numbers.
    """

    key = "wasserstein_norm"
    label = _("Wasserstein distance")
    unit = "std"
    definition = _(
        "How far the values have to be moved on average to turn one distribution into the other, in standard "
        "deviations of the reference. Off by at most the width of one cell."
    )
    kinds = CELLS
    warn, act = 0.1, 0.2
    by: ClassVar = {NANNYML: _("In the unit of the column: not divided by the standard deviation.")}

    def distance(self, reference: Column, current: Column, by: str) -> Measured:
        assert isinstance(reference, Numbers)
        assert isinstance(current, Numbers)
        width = reference.lattice.width
        gaps = np.abs(reference.cumulative() - current.cumulative())
        inside = float(gaps.sum()) * width
        outside = abs(_mean_of(reference.under_by, reference) - _mean_of(current.under_by, current))
        outside += abs(_mean_of(reference.over_by, reference) - _mean_of(current.over_by, current))
        distance = inside + outside
        exact = reference.is_exact and current.is_exact
        if by == NANNYML:
            return Measured(distance, error=0.0 if exact else width)
        spread = reference.deviation
        if spread is None:
            return Measured(None, note=str(_("The spread of the reference is beyond all numbers.")))
        if spread == 0:
            # A constant reference has no unit: any other value is infinitely many deviations away.
            moved = distance > width
            said = str(_("The reference is constant: 1 stands for any change.")) if moved else ""
            return Measured(1.0 if moved else 0.0, error=0.0, note=said)
        return Measured(distance / spread, error=0.0 if exact else width / spread)


def _mean_of(excess: int, column: Numbers) -> float:
    """Excess over an end of the lattice in units of the column, a row."""
    return rounded(excess) / column.lattice.scale / column.n
