"""The decision after a breach as a form."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from monitoring.models import Alert
from monitoring.services.alerts import REASON_LENGTH


class DecisionForm(forms.Form):
    outcome = forms.ChoiceField(label=_("What is done"), choices=Alert.Outcome.choices, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Why"),
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("It becomes part of the record and cannot be changed."),
    )
