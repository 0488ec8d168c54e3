"""Two-sample Kolmogorov-Smirnov test."""

from __future__ import annotations

import numpy as np
from django.utils.translation import gettext_lazy as _

from monitoring.profiles import Numbers
from monitoring.profiles.columns import Column
from monitoring.profiles.tails import kolmogorov_sf
from monitoring.statistic import CELLS, Measured, Statistic, statistics


@statistics.register
class _KolmogorovSmirnov(Statistic):
    """D = sup |R(x) - C(x)|, the largest distance of the two distribution functions, at the edges of the cells.

    Within a cell the distance may be larger than at its edges, but not than the rise of one function in that cell
    allows: ``error`` is what that adds at most, certified cell by cell. The p-value is that of the two-sided
    one-sample statistic for round(n*m / (n+m)) values, as ``scipy.stats.ks_2samp(method="asymp")`` gives it.
    """

    key = "ks"
    label = _("Kolmogorov–Smirnov distance")
    definition = _(
        "Largest distance between the two cumulative distributions, at the edges of the cells, with what the distance "
        "within a cell may add at most. Two-sided p-value from the Kolmogorov distribution for n × m ÷ (n + m) values. "
        "With very many rows the p-value calls every difference significant: read the distance."
    )
    kinds = CELLS
    warn, act = 0.1, 0.2

    def distance(self, reference: Column, current: Column, by: str) -> Measured:
        assert isinstance(reference, Numbers)
        assert isinstance(current, Numbers)
        # Below the lattice and above it lies one more cell each.
        r = np.concatenate(([0.0], reference.cumulative(), [1.0]))
        c = np.concatenate(([0.0], current.cumulative(), [1.0]))
        d = float(np.abs(r - c).max())
        n = round(reference.n * current.n / (reference.n + current.n))
        p = kolmogorov_sf(d, n)
        if reference.is_exact and current.is_exact:
            return Measured(d, p, 0.0)
        most = float(np.maximum(r[1:] - c[:-1], c[1:] - r[:-1]).max())
        return Measured(d, p, max(0.0, most - d))
