"""Hellinger distance."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from django.utils.translation import gettext_lazy as _

from monitoring.drift.js import nannyml_shares
from monitoring.profiles.columns import Column
from monitoring.profiles.shares import plain, tallies
from monitoring.statistic import NANNYML, Measured, Statistic, statistics


@statistics.register
class _Hellinger(Statistic):
    """The Euclidean distance of the square roots of the shares, divided by √2: between 0 and 1.

    Over the deciles of the reference or over categories (Hellinger 1909).
    """

    key = "hellinger"
    label = _("Hellinger distance")
    definition = _(
        "Euclidean distance of the square roots of the shares, divided by √2: 0 is the same, 1 has nothing in common. "
        "Bins: tenths of the reference, or one for each category. Empty bins count as they are."
    )
    warn, act = 0.1, 0.2
    by: ClassVar = {NANNYML: _("Equal bins over the reference by the rule of Doane, and one for everything outside.")}

    def distance(self, reference: Column, current: Column, by: str) -> Measured:
        r, c = nannyml_shares(reference, current) if by else map(plain, tallies(reference, current))
        exact = reference.is_exact and current.is_exact
        return Measured(float(np.linalg.norm(np.sqrt(r) - np.sqrt(c)) / np.sqrt(2)), error=0.0 if exact else None)
