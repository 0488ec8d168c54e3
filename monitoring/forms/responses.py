"""Response times as a form: hours and days as people say them, minutes as they are kept."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.roles import role_choices
from monitoring.models import Alert
from monitoring.responses import Target

UNITS = (("1", _("minutes")), ("60", _("hours")), ("1440", _("days")))


class ResponseForm(forms.Form):
    severity = forms.ChoiceField(
        label=_("Severity"),
        choices=Alert.Severity.choices,
        help_text=_("How bad such an alert is, for sorting and for the incident it suggests."),
    )
    acknowledge = forms.IntegerField(label=_("Seen within"), min_value=1, max_value=525_600)
    acknowledge_unit = forms.ChoiceField(label=_("Unit of “seen within”"), choices=UNITS)
    resolve = forms.IntegerField(label=_("Over within"), min_value=1, max_value=525_600)
    resolve_unit = forms.ChoiceField(label=_("Unit of “over within”"), choices=UNITS)
    told_first = forms.MultipleChoiceField(
        label=_("Told when the time is over"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Whoever sees to the alert is told in any case."),
    )
    told_next = forms.MultipleChoiceField(
        label=_("Told when twice the time is over"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Any = None, *, target: Target, adds: bool = False) -> None:
        """``adds``: of a unit, which tells more people than are told above it, or nobody more."""
        acknowledge, unit = _in_words(target.acknowledge.total_seconds())
        resolve, resolve_unit = _in_words(target.resolve.total_seconds())
        known = {
            "severity": target.severity,
            "acknowledge": acknowledge,
            "acknowledge_unit": unit,
            "resolve": resolve,
            "resolve_unit": resolve_unit,
            "told_first": target.told_first,
            "told_next": target.told_next,
        }
        super().__init__(data, initial=known)
        for name in ("told_first", "told_next"):
            field: Any = self.fields[name]
            field.choices = role_choices()
            field.required = not adds

    def values(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {
            "severity": given["severity"],
            "acknowledge_minutes": given["acknowledge"] * int(given["acknowledge_unit"]),
            "resolve_minutes": given["resolve"] * int(given["resolve_unit"]),
            "told_first": given["told_first"],
            "told_next": given["told_next"],
        }

    def put_errors(self, errors: Any) -> None:
        """What the service refused, at the fields it is about."""
        for name, said in errors.items():
            place = name.removesuffix("_minutes")
            self.add_error(place if place in self.fields else None, list(said))


def _in_words(seconds: float) -> tuple[int, str]:
    """The largest unit in which it is a whole number."""
    minutes = int(seconds // 60)
    factor = next(factor for factor in (1440, 60, 1) if minutes % factor == 0)
    return minutes // factor, str(factor)
