"""What is done about an alert, as forms."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.people import people_on
from accounts.roles import roles_allowing
from governance.models import Incident
from monitoring.models import Alert
from monitoring.services.alert_care import LONGEST_TEXT, RIGHT, SEVERITIES, alert_account
from portfolio.models import UseCase

FOR = (
    ("1", _("an hour")),
    ("4", _("4 hours")),
    ("24", _("a day")),
    ("72", _("3 days")),
    ("168", _("a week")),
    ("", _("until the time below")),
)


class WhyForm(forms.Form):
    reason = forms.CharField(
        label=_("Why"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It becomes part of the record."),
    )


class SnoozeForm(WhyForm):
    """Until when an alert rests: a length of time, or a moment."""

    hours = forms.ChoiceField(label=_("For"), choices=FOR, required=False, initial="24", widget=forms.RadioSelect)
    until = forms.DateTimeField(
        label=_("Until"),
        required=False,
        help_text=_("In UTC, at most 90 days from now."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
    )
    field_order = ("hours", "until", "reason")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("hours") and not cleaned.get("until") and "until" not in self.errors:
            self.add_error("until", _("Say until when."))
        return cleaned

    @property
    def moment(self) -> datetime:
        hours = self.cleaned_data["hours"]
        moment: datetime = timezone.now() + timedelta(hours=int(hours)) if hours else self.cleaned_data["until"]
        return moment


class AssignForm(forms.Form):
    """Who sees to it: those who may acknowledge alerts of all the use cases concerned."""

    to = forms.ModelChoiceField(
        label=_("Who sees to it"), queryset=User.objects.none(), required=False, empty_label=_("Nobody")
    )

    def __init__(self, data: Any = None, *, use_cases: Iterable[UseCase], initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        field: Any = self.fields["to"]
        field.queryset = User.objects.filter(pk__in=able(use_cases)).order_by("full_name", "email")


class CommentForm(forms.Form):
    text = forms.CharField(
        label=_("Comment"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 3, "placeholder": ""})
    )


class ReportForm(forms.Form):
    """An incident, filled in with what the alert knows."""

    severity = forms.ChoiceField(
        label=_("Severity"),
        choices=Incident.Severity.choices,
        help_text=_("1: people harmed or law broken. 2: wrong decisions at scale. 3: service impaired. 4: minor."),
    )
    title = forms.CharField(label=_("What happened"), max_length=300)
    description = forms.CharField(label=_("More about it"), required=False, widget=forms.Textarea(attrs={"rows": 8}))

    def __init__(self, data: Any = None, *, alert: Alert) -> None:
        known = {
            "severity": SEVERITIES[alert.severity],
            "title": alert.message,
            "description": alert_account(alert),
        }
        super().__init__(data, initial=known)


def able(use_cases: Iterable[UseCase]) -> set[UUID]:
    """Keys of the people who may see to alerts of every one of these use cases."""
    roles = set(roles_allowing(RIGHT))
    found = people_on([use_case.pk for use_case in use_cases])
    each = [
        {held.user.pk for held in listed if held.role in roles and held.user.is_person} for listed in found.values()
    ]
    return set.intersection(*each) if each else set()
