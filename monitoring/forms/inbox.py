"""The filters of the alert inbox; what an address says wrongly is ignored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.access import for_user
from accounts.models import User
from monitoring.forms.filters import Filters, decision_owed
from monitoring.models import Alert
from portfolio.models import BusinessUnit, UseCase
from portfolio.selectors.listing import mine

UNRESOLVED, ANY = "unresolved", "any"
STATES = (
    (UNRESOLVED, _("Not over")),
    (Alert.AlertState.OPEN, _("Open")),
    (Alert.AlertState.ACKNOWLEDGED, _("Acknowledged")),
    (Alert.AlertState.SNOOZED, _("Snoozed")),
    (Alert.AlertState.RESOLVED, _("Over")),
)
AGES: dict[str, tuple[int | None, int | None]] = {
    "day": (None, 1),
    "week": (1, 7),
    "month": (7, 30),
    "older": (30, None),
}
"""Age -> days, at least and below."""


class AlertFilterForm(Filters):
    """The inbox shows what is not over unless the address says otherwise; the state is chosen by its tabs."""

    q = forms.CharField(label=_("Search"), required=False)
    severity = forms.ChoiceField(
        label=_("Severity"), required=False, choices=[("", _("Any severity")), *Alert.Severity.choices]
    )
    level = forms.ChoiceField(label=_("Level"), required=False, choices=[("", _("Any level")), *Alert.Level.choices])
    owner = forms.ChoiceField(label=_("Seen to by"), required=False)
    unit = forms.ChoiceField(label=_("Unit"), required=False)
    age = forms.ChoiceField(
        label=_("Age"),
        required=False,
        choices=[
            ("", _("Any age")),
            ("day", _("under a day")),
            ("week", _("1 to 7 days")),
            ("month", _("7 to 30 days")),
            ("older", _("over 30 days")),
        ],
    )
    late = forms.BooleanField(label=_("Late"), required=False)
    owed = forms.BooleanField(label=_("Decision owed"), required=False)
    mine = forms.BooleanField(label=_("Mine"), required=False)
    use_case = forms.CharField(label=_("Use case"), required=False, widget=forms.HiddenInput)
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[*STATES, (ANY, _("Any state"))], widget=forms.HiddenInput
    )

    conditions: ClassVar[dict[str, Callable[[Any, User], Q]]] = {
        "q": lambda value, _user: (
            Q(message__icontains=value)
            | Q(series__use_case__name__icontains=value)
            | Q(series__use_case__key__icontains=value)
            | Q(series__metric__icontains=value)
        ),
        "severity": lambda value, _user: Q(severity=value),
        "level": lambda value, _user: Q(level=value),
        "owner": lambda value, user: owned_by(value, user),  # noqa: PLW0108  # it is defined below
        "unit": lambda value, _user: Q(series__use_case__unit__path__startswith=value),
        "age": lambda value, _user: aged(value),
        "late": lambda _value, _user: late(),
        "owed": lambda _value, _user: decision_owed(),
        "mine": lambda _value, user: Q(series__use_case__in=UseCase.objects.filter(mine(user)).values("pk")),
        "use_case": lambda value, _user: Q(series__use_case__key=value),
        "state": lambda value, _user: in_state(value),
    }

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data)
        unit: Any = self.fields["unit"]
        units = for_user(BusinessUnit.objects.all(), user, "use_case.view").order_by("path")
        unit.choices = [("", _("Any unit")), *units.values_list("path", "name")]
        visible = for_user(Alert.objects.filter(assigned_to__isnull=False), user, "use_case.view")
        people = visible.order_by("assigned_to__full_name").values_list(
            "assigned_to", "assigned_to__full_name", "assigned_to__email"
        )
        owner: Any = self.fields["owner"]
        owner.choices = [
            ("", _("Anybody")),
            ("me", _("Me")),
            ("nobody", _("Nobody")),
            *[(str(pk), name or email) for pk, name, email in people.distinct() if pk != user.pk],
        ]

    def chips(self, request: HttpRequest) -> list[dict[str, str]]:
        """All but the state, which is a tab."""
        return [chip for chip in super().chips(request) if chip["name"] != str(self.fields["state"].label)]

    def chosen(self) -> dict[str, Any]:
        return {"state": UNRESOLVED} | super().chosen()


def in_state(value: str) -> Q:
    if value == UNRESOLVED:
        return ~Q(state=Alert.AlertState.RESOLVED)
    return Q() if value == ANY else Q(state=value)


def owned_by(value: str, user: User) -> Q:
    if value == "nobody":
        return Q(assigned_to__isnull=True)
    return Q(assigned_to=user.pk if value == "me" else value)


def aged(age: str) -> Q:
    at_least, below = AGES[age]
    now = timezone.now()
    condition = Q()
    if at_least is not None:
        condition &= Q(opened_at__lte=now - timedelta(days=at_least))
    if below is not None:
        condition &= Q(opened_at__gt=now - timedelta(days=below))
    return condition


def late() -> Q:
    """Not acknowledged or not over in the time given; a snoozed alert is not late."""
    now = timezone.now()
    unseen = Q(state=Alert.AlertState.OPEN, acknowledge_by__lt=now)
    unfinished = Q(state__in=(Alert.AlertState.OPEN, Alert.AlertState.ACKNOWLEDGED), resolve_by__lt=now)
    return unseen | unfinished
