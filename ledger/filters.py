"""The filters of the ledger, one set for pages, exports and REST."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import django_filters as filters
from django import forms
from django.utils.translation import gettext_lazy as _

from ledger import lookups
from ledger.models import Event, EventQuerySet
from ledger.selectors import acting, matching, under

DATE_LENGTH = len("2026-11-21")


class MomentField(forms.DateTimeField):
    """A day or a moment (ISO 8601). As the end of a span a day means all of it."""

    def __init__(self, *, is_end: bool = False, **options: Any) -> None:
        self.is_end = is_end
        super().__init__(**options)

    def to_python(self, value: Any) -> datetime | None:
        moment = super().to_python(value)
        is_day = isinstance(value, str) and len(value.strip()) == DATE_LENGTH
        return moment + timedelta(days=1) if moment is not None and self.is_end and is_day else moment


class MomentFilter(filters.Filter):
    field_class = MomentField


class EventFilter(filters.FilterSet):
    """Which events; several filters mean all of them."""

    q = filters.CharFilter(
        method="by_text",
        label=_("Subject, key or request id"),
        help_text=_("Words of a subject's label, or a whole key, request id or action."),
    )
    use_case = filters.CharFilter(
        method="by_use_case",
        label=_("Use case"),
        help_text=_("Key or name of a use case."),
        widget=forms.TextInput(attrs={"placeholder": _("Use case")}),
    )
    actor = filters.CharFilter(
        method="by_actor",
        label=_("Who"),
        help_text=_("Id, name or e-mail address of an account; system for what nobody asked for."),
        widget=forms.TextInput(attrs={"placeholder": _("Who")}),
    )
    action = filters.CharFilter(
        method="by_action",
        label=_("Action"),
        help_text=_("An action, or how some begin: use_case finds use_case.created."),
        widget=forms.TextInput(attrs={"placeholder": _("Action, such as use_case.created")}),
    )
    unit = filters.CharFilter(
        method="by_unit",
        label=_("Unit path"),
        help_text=_("Path of a unit, such as /retail/; the units below count."),
        widget=forms.HiddenInput,
    )
    since = MomentFilter(
        field_name="at",
        lookup_expr="gte",
        label=_("From"),
        help_text=_("A day or a moment (ISO 8601, UTC)."),
        widget=forms.DateInput(attrs={"type": "date", "title": _("From")}),
    )
    until = MomentFilter(
        field_name="at",
        lookup_expr="lt",
        is_end=True,
        label=_("To"),
        help_text=_("A day, which is included, or a moment, which is not (ISO 8601, UTC)."),
        widget=forms.DateInput(attrs={"type": "date", "title": _("To")}),
    )

    class Meta:
        model = Event
        fields: ClassVar[list[str]] = []

    def by_text(self, events: EventQuerySet, name: str, value: str) -> EventQuerySet:
        return events.filter(matching(value))

    def by_use_case(self, events: EventQuerySet, name: str, value: str) -> EventQuerySet:
        return events.filter(use_case_id__in=lookups.search("use_case", value))

    def by_actor(self, events: EventQuerySet, name: str, value: str) -> EventQuerySet:
        if value in ("system", "person", "service"):
            return events.filter(actor_kind=value)
        return events.filter(actor_id__in=[key for key in lookups.search("actor", value) if _is_uuid(key)])

    def by_action(self, events: EventQuerySet, name: str, value: str) -> EventQuerySet:
        return events.filter(acting(value))

    def by_unit(self, events: EventQuerySet, name: str, value: str) -> EventQuerySet:
        return events.filter(under([value]))


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
