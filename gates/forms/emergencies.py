"""Forms of emergency releases: ask, confirm, refuse, and the filter of the list."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.confirming import ConfirmForm
from gates.models import EmergencyRelease

MOST_HOURS = 24


class AskEmergencyForm(forms.Form):
    reason = forms.CharField(
        label=_("What happened, and why it cannot wait"),
        help_text=_("Everybody who answers for the use case reads it, and it stays on record."),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    hours = forms.IntegerField(
        label=_("For how many hours"),
        help_text=_("From the moment a second person confirms it; at most 24."),
        min_value=1,
        max_value=MOST_HOURS,
        initial=MOST_HOURS,
    )


class ConfirmEmergencyForm(ConfirmForm):
    """Asks for nothing but a fresh proof of who confirms."""


class RefuseEmergencyForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The person who asked reads it."),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class EmergencyFilter(forms.Form):
    q = forms.CharField(label=_("Search"), required=False)
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("Any state")), *EmergencyRelease.State.choices]
    )
