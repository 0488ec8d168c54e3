"""Forms of the board: a meeting, its agenda, its minutes, and declared interests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from gates.models import Meeting, Review
from gates.services.boards.minutes import LONGEST as LONGEST_MINUTES
from gates.services.boards.recusals import LONGEST as LONGEST_REASON


class MomentInput(forms.DateTimeInput):
    """The browser's own calendar and clock; times are UTC."""

    input_type = "datetime-local"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M", **kwargs)


class MeetingForm(forms.Form):
    """``members`` may chair; ``waiting`` are the reviews to choose the first agenda from."""

    title = forms.CharField(label=_("Title"), max_length=200)
    starts_at = forms.DateTimeField(
        label=_("Starts at (UTC)"), widget=MomentInput, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
    )
    place = forms.CharField(
        label=_("Place"), max_length=300, required=False, help_text=_("A room, or the address of a call.")
    )
    chair = forms.ChoiceField(label=_("Chair"), help_text=_("Opens and closes the meeting, and breaks ties."))
    reviews = forms.MultipleChoiceField(
        label=_("Agenda"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Reviews that wait for the board. More can be added later."),
    )

    def __init__(
        self, *args: Any, members: Iterable[User], waiting: Iterable[Review] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.members = {str(m.pk): m for m in members}
        self.fields["chair"].choices = [("", "–"), *((k, m.full_name) for k, m in self.members.items())]  # type: ignore[attr-defined]
        self.waiting = {str(r.number): r for r in waiting or ()}
        choices = [(k, f"{r} {r.use_case.name}") for k, r in self.waiting.items()]
        if choices:
            self.fields["reviews"].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields["reviews"]

    def given(self) -> dict[str, Any]:
        """What the services take."""
        data = self.cleaned_data
        found = {name: data[name] for name in ("title", "starts_at", "place")}
        return {**found, "chair": self.members[data["chair"]]}

    def chosen(self) -> list[Review]:
        return [self.waiting[number] for number in self.cleaned_data.get("reviews", ())]


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class MinutesForm(forms.Form):
    minutes = forms.CharField(
        label=_("Minutes"),
        required=False,
        max_length=LONGEST_MINUTES,
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class InterestForm(forms.Form):
    """``review`` is set when the form was opened from one: the choice is then between it and the whole use case."""

    scope = forms.ChoiceField(label=_("It concerns"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Interest"),
        max_length=LONGEST_REASON,
        help_text=_("What ties you to it. People who see the review read this."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, review: Review | None, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("use_case", _("%(name)s, for as long as the interest lasts") % {"name": name})]
        if review is not None:
            choices.insert(0, ("review", _("%(review)s only") % {"review": review}))
        self.fields["scope"].choices = choices  # type: ignore[attr-defined]
        self.fields["scope"].initial = choices[0][0]


class MeetingFilter(forms.Form):
    q = forms.CharField(label=_("Search"), required=False)
    when = forms.ChoiceField(
        label=_("When"),
        required=False,
        choices=[("", _("Any time")), ("upcoming", _("Upcoming and in session")), ("past", _("Past"))],
    )
    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("Any state")), *Meeting.State.choices])
