"""Forms of decisions after breaches, and the filter of their list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gates.policy import TIERS
from gates.services.breaches import LONGEST_REASON
from governance.forms.entry import DateInput, words
from monitoring.models import Alert

HELP = {
    "retrain": _("The system is trained anew. The request goes to whoever runs its training."),
    "recalibrate": _("Thresholds or calibration are set anew, the model stays."),
    "roll_back": _("The version before is put back in use. The request goes out at once."),
    "accept": _("It stays as it is until a day, with your reason. It counts as no breach until then."),
    "decommission": _("It is taken out of use. Ask for its end on the gate page afterwards."),
}


class BreachForm(forms.Form):
    outcome = forms.ChoiceField(label=_("What is done"), choices=Alert.Outcome.choices, widget=forms.RadioSelect)
    accepted_until = forms.DateField(label=_("Accepted until"), required=False, widget=DateInput())
    reason = words(_("Why"), rows=4, required=True, limit=LONGEST_REASON)

    def __init__(self, *args: Any, most_days: int, takes_two: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        until = _("Only when you accept it: at most %(days)s days.") % {"days": most_days}
        two = _("Somebody else with the authority over risk confirms it.") if takes_two else ""
        self.fields["accepted_until"].help_text = f"{until} {two}".strip()
        self.fields["reason"].help_text = _("It becomes part of the record and cannot be changed.")
        choices = [(key, f"{label}: {HELP[key]}" if key in HELP else label) for key, label in Alert.Outcome.choices]
        self.fields["outcome"].choices = choices  # type: ignore[attr-defined]  # a field of choices


class ConfirmForm(forms.Form):
    """Nothing to fill in: what is confirmed stands above it."""


class RefuseForm(forms.Form):
    reason = words(_("Why it cannot be accepted"), rows=3, required=True, limit=LONGEST_REASON)


class BreachFilter(forms.Form):
    q = forms.CharField(label=_("Search"), required=False)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", _("Any state")),
            ("owed", _("Owed")),
            ("late", _("Late")),
            ("proposed", _("Waits for a second person")),
            ("decided", _("Decided")),
            ("accepted", _("Accepted, still holds")),
            ("lapsed", _("No longer owed")),
        ],
    )
    outcome = forms.ChoiceField(
        label=_("Decision"), required=False, choices=[("", _("Any decision")), *Alert.Outcome.choices]
    )
    tier = forms.ChoiceField(
        label=_("Tier"), required=False, choices=[("", _("Any tier")), *((t, t.capitalize()) for t in TIERS)]
    )
    mine = forms.BooleanField(label=_("Owed by me"), required=False)
