"""Filters of the smaller lists; those of use cases are the same as on the page."""

from __future__ import annotations

from typing import ClassVar

import django_filters as filters

from portfolio.models import Kpi, KpiMeasurement, StageChange


class KpiFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text="Key of a use case.")
    current = filters.BooleanFilter(field_name="is_current", help_text="Only current, or only replaced versions.")

    class Meta:
        model = Kpi
        fields: ClassVar[list[str]] = ["key"]


class MeasurementFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="kpi__use_case__key", help_text="Key of a use case.")
    kpi = filters.CharFilter(field_name="kpi__key", help_text="Key of a KPI, in all its versions.")
    since = filters.DateFilter(field_name="window_end", lookup_expr="gte", help_text="Windows ending on or after.")

    class Meta:
        model = KpiMeasurement
        fields: ClassVar[list[str]] = []


class StageChangeFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text="Key of a use case.")
    since = filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte", help_text="Moves at or after this moment.")

    class Meta:
        model = StageChange
        fields: ClassVar[list[str]] = ["to_stage"]
