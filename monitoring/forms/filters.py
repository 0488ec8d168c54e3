"""The filters of monitoring's lists; what an address says wrongly is ignored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from monitoring.models import Alert, PullRun, Series, Source
from monitoring.selectors.drift_share import drifting_series, watched_for_drift
from portfolio.models import Assurance, BusinessUnit, Stage
from portfolio.selectors.listing import matching, mine


class Filters(forms.Form):
    """A filter bar: ``apply`` narrows the rows by every field that is set and valid."""

    conditions: ClassVar[dict[str, Callable[[Any, User], Q]]] = {}

    def apply(self, rows: QuerySet[Any], user: User) -> QuerySet[Any]:
        self.is_valid()
        for name, value in self.chosen().items():
            rows = rows.filter(self.conditions[name](value, user))
        return rows

    def chosen(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if value not in {"", None, False}}

    def chips(self, request: HttpRequest) -> list[dict[str, str]]:
        """The filters that are on, each with the address without it."""
        found = []
        for name, value in self.chosen().items():
            if name not in request.GET:  # a default is no filter that somebody set
                continue
            field = self.fields[name]
            query = request.GET.copy()
            for gone in (name, "page"):
                query.pop(gone, None)
            words = dict(getattr(field, "choices", ())).get(value, value if isinstance(value, str) else _("yes"))
            found.append({"name": str(field.label), "value": str(words), "url": f"?{query.urlencode()}"})
        return found


class SystemFilter(Filters):
    """Use cases that are watched."""

    q = forms.CharField(label=_("Search"), required=False)
    stage = forms.ChoiceField(label=_("Stage"), required=False, choices=[("", _("Any stage")), *Stage.choices])
    assurance = forms.ChoiceField(
        label=_("Assurance"),
        required=False,
        choices=[("", _("Any assurance")), *[c for c in Assurance.choices if c[0]]],
    )
    attention = forms.ChoiceField(
        label=_("Needs attention"),
        required=False,
        choices=[
            ("", _("All of them")),
            ("act", _("Breaches")),
            ("warn", _("Warnings")),
            ("silent", _("Silent series")),
            ("source", _("Failing sources")),
            ("drift", _("Drift beyond a limit")),
            ("watched_drift", _("Watched for drift")),
        ],
    )
    unit = forms.CharField(label=_("Unit"), required=False, widget=forms.HiddenInput)
    mine = forms.BooleanField(label=_("Mine"), required=False)

    conditions: ClassVar[dict[str, Callable[[Any, User], Q]]] = {
        "q": lambda value, _user: matching(value),
        "stage": lambda value, _user: Q(stage=value),
        "assurance": lambda value, _user: Q(assurance=value),
        "attention": lambda value, _user: _attention(value),
        "unit": lambda value, _user: in_unit("unit", value),
        "mine": lambda _value, user: mine(user),
    }


class SourceFilterForm(Filters):
    q = forms.CharField(label=_("Search"), required=False)
    health = forms.ChoiceField(
        label=_("Health"), required=False, choices=[("", _("Any health")), *Source.Health.choices]
    )
    connector = forms.CharField(label=_("Connector"), required=False, widget=forms.HiddenInput)
    paused = forms.BooleanField(label=_("Paused"), required=False)
    late = forms.BooleanField(label=_("Late"), required=False)

    conditions: ClassVar[dict[str, Callable[[Any, User], Q]]] = {
        "q": lambda value, _user: (
            Q(name__icontains=value) | Q(use_case__name__icontains=value) | Q(use_case__key__icontains=value)
        ),
        "health": lambda value, _user: Q(health=value),
        "connector": lambda value, _user: Q(connector=value),
        "paused": lambda _value, _user: Q(enabled=False),
        "late": lambda _value, _user: Q(enabled=True, next_due_at__lt=timezone.now() - timedelta(minutes=5)),
    }


class PullFilterForm(Filters):
    q = forms.CharField(label=_("Search"), required=False)
    outcome = forms.ChoiceField(
        label=_("Outcome"), required=False, choices=[("", _("Any outcome")), *PullRun.Outcome.choices]
    )
    changed = forms.BooleanField(label=_("Brought something new"), required=False)

    conditions: ClassVar[dict[str, Callable[[Any, User], Q]]] = {
        "q": lambda value, _user: Q(error__icontains=value),
        "outcome": lambda value, _user: Q(outcome=value),
        "changed": lambda _value, _user: Q(stored__gt=0),
    }


def in_unit(path: str, code: str) -> Q:
    """Of a unit and those below it; an unknown unit holds nothing."""
    found = BusinessUnit.objects.filter(code=code).values_list("path", flat=True).first()
    return Q(**{f"{path}__path__startswith": found}) if found else Q(pk__in=[])


def _attention(value: str) -> Q:
    if value in ("drift", "watched_drift"):
        series = watched_for_drift(Series.objects.order_by())
        return Q(pk__in=(drifting_series(series) if value == "drift" else series).values("use_case"))
    return Q(**{{"act": "acts", "warn": "warns", "silent": "silent", "source": "failing"}[value] + "__gt": 0})


def decision_owed() -> Q:
    """Breaches that are not over and that nobody has decided."""
    return Q(level=Alert.Level.ACT, outcome="") & ~Q(state=Alert.AlertState.RESOLVED)
