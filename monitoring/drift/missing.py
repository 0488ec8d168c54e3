"""Shift of the share of missing values."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from monitoring.profiles.columns import Column
from monitoring.statistic import Measured, Statistic, statistics


@statistics.register
class _MissingShift(Statistic):
    """Share of rows without a value, current minus reference, in percentage points. Null, NaN and empty text count."""

    key = "missing_shift"
    label = _("Shift of missing values")
    unit = "pp"
    definition = _("Share of rows without a value (null, NaN, empty text), current − reference, in percentage points.")
    warn, act = 2.0, 5.0

    def distance(self, reference: Column, current: Column, by: str) -> Measured:
        before, now = reference.missing / max(reference.rows, 1), current.missing / max(current.rows, 1)
        return Measured(100 * (now - before), error=0.0)
