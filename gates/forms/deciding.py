"""The form of a decision."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from gates.services.decisions import STOP_REASONS

OUTCOMES = (
    ("go", _("Go: pass this gate")),
    ("return", _("Return: the evidence is not enough")),
    ("pivot", _("Pivot: back to an earlier stage")),
    ("stop", _("Stop this use case")),
)


class DecideForm(forms.Form):
    outcome = forms.ChoiceField(label=_("Decision"), choices=OUTCOMES, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Needed for everything but a go."),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    reason_code = forms.ChoiceField(
        label=_("Why it stops"),
        required=False,
        choices=[("", "–"), *((code, code.replace("_", " ").capitalize()) for code in STOP_REASONS)],
    )
    to_stage = forms.ChoiceField(
        label=_("Return to stage"),
        required=False,
        choices=[("", "–"), ("idea", _("Idea")), ("poc", _("PoC")), ("pilot", _("Pilot"))],
    )
    digest = forms.CharField(widget=forms.HiddenInput)
