"""L-infinity distance."""

from __future__ import annotations

import numpy as np
from django.utils.translation import gettext_lazy as _

from monitoring.profiles.columns import Column
from monitoring.profiles.shares import plain, tallies
from monitoring.statistic import VALUES, Measured, Statistic, statistics


@statistics.register
class _LInfinity(Statistic):
    """max |r - c|: by how much the share of one category changed at most. As NannyML and TFDV define it."""

    key = "linf"
    label = _("L-infinity distance")
    definition = _("The largest change of the share of any one category, 0 to 1.")
    kinds = VALUES
    warn, act = 0.1, 0.2

    def distance(self, reference: Column, current: Column, by: str) -> Measured:
        r, c = map(plain, tallies(reference, current))
        return Measured(float(np.abs(r - c).max(initial=0.0)), error=0.0)
