"""Forms of retraining: its settings, its receivers, asking and answering by hand, and the filter of the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from monitoring.forms.filters import Filters
from monitoring.models import RetrainingReceiver, RetrainingRequest, RetrainingSetup, Series
from monitoring.models.retraining import TRANSITIONS
from monitoring.selectors.retraining import by_state, searched
from monitoring.wording import metric_choices
from portfolio.models import UseCase

LONGEST = 4000


class SetupForm(forms.Form):
    on_due_day = forms.BooleanField(
        label=_("Ask on the day that the operating plan names"), required=False, help_text=_("Once, on that day.")
    )
    on_breach_of = forms.MultipleChoiceField(
        label=_("Ask at once when one of these is breached"), required=False, widget=forms.CheckboxSelectMultiple
    )
    accept_hours = forms.IntegerField(
        label=_("Hours to accept"), required=False, min_value=1, help_text=_("Empty: as the tier says.")
    )
    finish_hours = forms.IntegerField(
        label=_("Hours to be done"), required=False, min_value=1, help_text=_("Empty: as the tier says.")
    )

    def __init__(self, *args: Any, use_case: UseCase, setup: RetrainingSetup | None, **kwargs: Any) -> None:
        initial: dict[str, Any] = {}
        if setup is not None:
            names = ("on_due_day", "on_breach_of", "accept_hours", "finish_hours")
            initial |= {name: getattr(setup, name) for name in names}
        super().__init__(*args, **{**kwargs, "initial": initial})
        choices = metric_choices(Series.objects.filter(use_case=use_case))
        self.fields["on_breach_of"].choices = choices  # type: ignore[attr-defined]  # a field of choices
        if not choices:
            del self.fields["on_breach_of"]


class ReceiverForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("What you call it, such as Training pipeline or Release manager.")
    )
    url = forms.URLField(label=_("Address"), max_length=500, assume_scheme="https")
    kinds = forms.MultipleChoiceField(
        label=_("What it gets"), choices=RetrainingRequest.Kind.choices, widget=forms.CheckboxSelectMultiple
    )
    secret = forms.CharField(
        label=_("Secret"),
        required=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Only to set your own: whsec_ and 24 to 64 bytes in base64. Empty: one is made, or stays."),
    )
    enabled = forms.BooleanField(label=_("Switched on"), required=False)

    def __init__(self, *args: Any, receiver: RetrainingReceiver | None = None, **kwargs: Any) -> None:
        initial: dict[str, Any] = {"enabled": True, "kinds": RetrainingRequest.Kind.values}
        if receiver is not None:
            initial = {"name": receiver.name, "kinds": receiver.kinds}
            initial |= {"url": receiver.endpoint.url, "enabled": receiver.endpoint.enabled}
        super().__init__(*args, **{**kwargs, "initial": initial})


class AskForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("What is asked for"), choices=RetrainingRequest.Kind.choices, widget=forms.RadioSelect
    )
    reason = forms.CharField(label=_("Why"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 4}))


class AnswerForm(forms.Form):
    state_now = forms.ChoiceField(label=_("How far it is"))
    message = forms.CharField(
        label=_("In words"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Has to be given when it failed or is refused."),
    )
    version = forms.CharField(
        label=_("Version that came of it"),
        required=False,
        max_length=60,
        help_text=_("When it is done: a new label is registered as a candidate; a rollback names one that is there."),
    )
    significant = forms.BooleanField(
        label=_("A significant change"),
        required=False,
        initial=True,
        help_text=_("Leave it on unless the new version stays within what was approved: it voids earlier evidence."),
    )
    reference = forms.URLField(label=_("Address of the run"), required=False, max_length=1000, assume_scheme="https")

    def __init__(self, *args: Any, row: RetrainingRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = TRANSITIONS.get(row.state, frozenset())
        choices = [choice for choice in RetrainingRequest.State.choices if choice[0] in allowed]
        self.fields["state_now"].choices = choices  # type: ignore[attr-defined]  # a field of choices


class RetrainingFilter(Filters):
    q = forms.CharField(label=_("Search"), required=False)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", _("Any state")),
            ("open", _("Open")),
            ("overdue", _("Overdue")),
            *RetrainingRequest.State.choices,
        ],
    )
    kind = forms.ChoiceField(
        label=_("What"), required=False, choices=[("", _("Anything")), *RetrainingRequest.Kind.choices]
    )
    origin = forms.ChoiceField(
        label=_("Asked for"), required=False, choices=[("", _("By anything")), *RetrainingRequest.Origin.choices]
    )

    conditions: ClassVar[dict[str, Callable[[Any, User], Q]]] = {
        "kind": lambda value, _user: Q(kind=value),
        "origin": lambda value, _user: Q(origin=value),
    }

    def apply(self, rows: QuerySet[Any], user: User) -> QuerySet[Any]:
        self.is_valid()
        chosen = self.chosen()
        rows = by_state(searched(rows, chosen.pop("q", "")), chosen.pop("state", ""))
        for name, value in chosen.items():
            rows = rows.filter(self.conditions[name](value, user))
        return rows
