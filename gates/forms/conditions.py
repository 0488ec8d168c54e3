"""Forms of conditions: report, close, send back, move; and the filter of the list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gates.models import Condition
from governance.forms.entry import DateInput, words
from governance.forms.issues import colleagues
from governance.models import Evidence

STATES = (
    ("owed", _("Owed")),
    ("overdue", _("Overdue")),
    ("reported", _("Waits to be closed")),
    ("closed", _("Closed")),
    ("dropped", _("No longer owed")),
)


class ConditionForm(forms.Form):
    """A form about one condition."""

    def __init__(self, *args: Any, condition: Condition, **kwargs: Any) -> None:
        self.condition = condition
        super().__init__(*args, **kwargs)


class ReportForm(ConditionForm):
    report = words(_("What was done"), rows=4, required=True, limit=4000)
    evidence = forms.ModelChoiceField(
        label=_("Evidence"),
        help_text=_("Evidence of this use case. Whoever added it does not close the condition."),
        queryset=Evidence.objects.none(),
        required=False,
        empty_label=_("None"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usable = Evidence.objects.filter(use_case=self.condition.use_case_id, withdrawn_at__isnull=True)
        self.fields["evidence"].queryset = usable  # type: ignore[attr-defined]  # a field of rows


class CloseForm(ConditionForm):
    note = words(_("What you looked at"), rows=3, limit=4000)


class SendBackForm(ConditionForm):
    reason = words(_("What is missing"), rows=3, required=True, limit=4000)


class MoveForm(ConditionForm):
    due_on = forms.DateField(label=_("Until"), widget=DateInput())
    owner: Any = forms.ModelChoiceField(
        label=_("Who sees to it"),
        help_text=_("Another person where the one who owed it cannot."),
        queryset=None,
        empty_label=None,
    )
    reason = words(_("Why it is moved"), rows=3, required=True, limit=4000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = colleagues(self.condition.use_case) | type(self.condition.owner).objects.filter(
            pk=self.condition.owner_id
        )
        self.fields["owner"].queryset = people.order_by("full_name")  # type: ignore[attr-defined]  # a field of rows
        self.initial.setdefault("owner", self.condition.owner_id)
        self.initial.setdefault("due_on", self.condition.due_on)


class ConditionFilter(forms.Form):
    q = forms.CharField(label=_("Search"), required=False)
    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("Any state")), *STATES])
    gate = forms.ChoiceField(label=_("Gate"), required=False)
    mine = forms.BooleanField(label=_("Owed by me"), required=False)
    unit = forms.CharField(label=_("Unit"), required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, gates: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["gate"].choices = [("", _("Any gate")), *gates]  # type: ignore[attr-defined]
