"""Filters of monitoring's lists."""

from __future__ import annotations

from typing import ClassVar

import django_filters as filters

from monitoring.forms.inbox import late
from monitoring.models import Alert, Rule, Series, Source


class SeriesFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text="Key of a use case.")
    version = filters.CharFilter(field_name="version__label", help_text="Label of a version of the model.")

    class Meta:
        model = Series
        fields: ClassVar[list[str]] = ["metric", "segment", "enabled", "source"]


class RuleFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="series__use_case__key", help_text="Key of a use case.")

    class Meta:
        model = Rule
        fields: ClassVar[list[str]] = ["series", "enabled"]


class AlertFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="series__use_case__key", help_text="Key of a use case.")
    metric = filters.CharFilter(field_name="series__metric")
    unresolved = filters.BooleanFilter(method="only_unresolved", help_text="Only, or without, those that are not over.")
    unit = filters.CharFilter(
        field_name="series__use_case__unit__path",
        lookup_expr="startswith",
        help_text="Path of a unit: /retail/.",
    )
    late = filters.BooleanFilter(method="only_late", help_text="Not seen or not over in the time given.")
    unassigned = filters.BooleanFilter(field_name="assigned_to", lookup_expr="isnull", help_text="Nobody sees to it.")
    since = filters.IsoDateTimeFilter(field_name="opened_at", lookup_expr="gte", help_text="Opened at or after.")

    class Meta:
        model = Alert
        fields: ClassVar[list[str]] = ["state", "level", "severity", "assigned_to", "series", "rule"]

    def only_unresolved(self, queryset: object, name: str, value: bool) -> object:
        over = {"state": Alert.AlertState.RESOLVED}
        return queryset.exclude(**over) if value else queryset.filter(**over)  # type: ignore[attr-defined]  # untyped filters

    def only_late(self, queryset: object, name: str, value: bool) -> object:
        return queryset.filter(late()) if value else queryset.exclude(late())  # type: ignore[attr-defined]  # untyped filters


class SourceFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text="Key of a use case.")

    class Meta:
        model = Source
        fields: ClassVar[list[str]] = ["health", "enabled", "connector"]
