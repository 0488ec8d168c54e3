"""Forms of waivers: ask for one, decide about it, take it back, end it early; and the filter of the list."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.confirming import ConfirmForm
from accounts.roles import role_name
from governance.forms.entry import DateInput

STATES = (
    ("requested", _("Requested")),
    ("in_force", _("In force")),
    ("ending", _("Ends within 30 days")),
    ("expired", _("Expired")),
    ("refused", _("Refused")),
    ("withdrawn", _("Withdrawn")),
    ("revoked", _("Revoked")),
)


class RequestWaiverForm(forms.Form):
    """``latest`` is the last day that the policy allows at the tier."""

    reason = forms.CharField(
        label=_("Why can the criterion not be met now?"), max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )
    compensating_control = forms.CharField(
        label=_("What is done instead?"),
        help_text=_("The control that keeps the risk down for as long as the waiver holds."),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    expires_at = forms.DateField(label=_("Until the end of"))

    def __init__(self, *args: Any, latest: date, days: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["expires_at"]
        field.help_text = _("At most %(days)s days: %(latest)s at the latest.") % {
            "days": days,
            "latest": f"{latest:%-d %b %Y}",
        }
        field.widget = DateInput(attrs={"max": latest.isoformat()})

    def clean_expires_at(self) -> datetime:
        """The last second of the day in UTC: "until 3 March" means that day too."""
        return datetime.combine(self.cleaned_data["expires_at"], time(23, 59, 59), tzinfo=UTC)


class DecideWaiverForm(ConfirmForm):
    """``roles`` are those in which the person may decide."""

    verdict = forms.ChoiceField(
        label=_("Decision"),
        choices=[("approve", _("Approve: the criterion is excused until then")), ("refuse", _("Refuse"))],
        widget=forms.RadioSelect,
    )
    role = forms.ChoiceField(label=_("Decide as"))
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Needed for a refusal; it becomes part of the record."),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, roles: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(key, role_name(key)) for key in roles]  # type: ignore[attr-defined]


class WithdrawWaiverForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )


class RevokeWaiverForm(ConfirmForm):
    reason = forms.CharField(label=_("Why does it end now?"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class WaiverFilter(forms.Form):
    q = forms.CharField(label=_("Search"), required=False)
    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("Any state")), *STATES])
    tier = forms.ChoiceField(
        label=_("Tier"),
        required=False,
        choices=[("", _("Any tier")), ("minimal", _("Minimal")), ("limited", _("Limited")), ("high", _("High"))],
    )
