"""Share of rows with values that the reference does not know."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from monitoring.profiles import Categories
from monitoring.profiles.columns import Column
from monitoring.statistic import VALUES, Measured, Statistic, statistics


@statistics.register
class _NewValues(Statistic):
    """Rows whose category is not among those of the reference, in percent of the rows that have one."""

    key = "new_values"
    label = _("New categories")
    unit = "%"
    definition = _("Rows with a category that the reference does not have, in percent of the rows that have a value.")
    kinds = VALUES
    warn, act = 1.0, 5.0

    def distance(self, reference: Column, current: Column, by: str) -> Measured:
        assert isinstance(reference, Categories)
        assert isinstance(current, Categories)
        if reference.crowded:
            return Measured(None, note=str(_("The reference has too many different values to tell new ones.")))
        new = sum(count for value, count in current.counts.items() if value not in reference.counts)
        return Measured(100 * (new + current.other) / max(current.n, 1), error=0.0)
