"""Population stability index."""

from __future__ import annotations

import sys
from typing import ClassVar

import numpy as np
from django.utils.translation import gettext_lazy as _

from monitoring.profiles import Numbers
from monitoring.profiles.columns import Column
from monitoring.profiles.shares import (
    Shares,
    extremes,
    few_values,
    in_equal_bins,
    plain,
    smoothed,
    sturges,
    tallies,
)
from monitoring.statistic import EVIDENTLY, FROUROS, Measured, Statistic, statistics


@statistics.register
class _Psi(Statistic):
    """PSI = Σ (c - r) ln(c / r) over bins, with r and c the shares of reference and current.

    Bins are the deciles of the reference, cut at the nearest edges of its cells, or one for each category. To every
    bin half a row is added, so that an empty one counts and stays finite. Siddiqi, *Credit Risk Scorecards* (2006).
    """

    key = "psi"
    label = _("Population stability index")
    definition = _(
        "Sum over bins of (current − reference) × ln(current ÷ reference). Bins: tenths of the reference, or one for "
        "each category. Empty bins: half a row is added to every bin. Below 0.1 is stable, above 0.25 calls for action."
    )
    warn, act = 0.1, 0.25
    by: ClassVar = {
        EVIDENTLY: _(
            "Equal bins over both data sets by the rule of Sturges (up to 20 different values: one bin a value); an "
            "empty bin counts as 0.0001, or as a millionth of the smallest share if that is below 0.0001."
        ),
        FROUROS: _("Ten equal bins over both data sets; an empty bin counts as the smallest double, 2.2e-308."),
    }

    def distance(self, reference: Column, current: Column, by: str) -> Measured:
        if not by:
            r, c = map(smoothed, tallies(reference, current))
        elif by == EVIDENTLY:
            r, c = map(_evidently_filled, evidently_shares(reference, current))
        else:
            r, c = (np.where(found == 0, sys.float_info.min, found) for found in _frouros_shares(reference, current))
        exact = reference.is_exact and current.is_exact
        return Measured(float(((c - r) * np.log(c / r)).sum()), error=0.0 if exact else None)


def evidently_shares(reference: Column, current: Column) -> tuple[Shares, Shares]:
    """Shares as ``get_binned_data`` of Evidently 0.7 makes them."""
    if isinstance(reference, Numbers) and isinstance(current, Numbers):
        if (few := few_values(reference, current)) is not None:
            return plain(few[0]), plain(few[1])
        edges = sturges(reference, current)
        if edges is None:
            return np.ones(1), np.ones(1)
        return in_equal_bins(reference, current, edges)
    r, c = tallies(reference, current)
    return plain(r), plain(c)


def _evidently_filled(shares: Shares) -> Shares:
    least = float(shares[shares > 0].min())
    return np.where(shares == 0, least / 1e6 if least <= 0.0001 else 0.0001, shares)


def _frouros_shares(reference: Column, current: Column) -> tuple[Shares, Shares]:
    if isinstance(reference, Numbers) and isinstance(current, Numbers):
        span = extremes(reference, current)
        if span is None or span[0] == span[1]:
            return np.ones(1), np.ones(1)
        return in_equal_bins(reference, current, np.linspace(*span, 11))
    r, c = tallies(reference, current)
    return plain(r), plain(c)
