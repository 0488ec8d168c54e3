"""Forms of review calls: the filter of the list, and calling reviews of chosen use cases."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from gates.models import ReviewCall
from portfolio.models import Stage, Tier

CALLABLE = ("law", "scope", "change", "owner", "incident", "breach")


class ReviewCallFilter(forms.Form):
    q = forms.CharField(label=_("Search"), required=False)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("owed", _("Owed")), ("late", _("Late")), ("settled", _("Settled")), ("all", _("All"))],
    )
    cause = forms.ChoiceField(
        label=_("Cause"), required=False, choices=[("", _("Any cause")), *ReviewCall.Cause.choices]
    )


class ConcernedFilter(forms.Form):
    """Which use cases a change of law concerns."""

    q = forms.CharField(label=_("Search"), required=False)
    jurisdiction = forms.CharField(label=_("Jurisdiction or regulation"), required=False, max_length=60)
    stage = forms.ChoiceField(
        label=_("Stage"),
        required=False,
        choices=[("", _("Any stage")), *[(s.value, s.label) for s in Stage if s not in (Stage.RETIRED, Stage.STOPPED)]],
    )
    tier = forms.ChoiceField(
        label=_("Tier"), required=False, choices=[("", _("Any tier")), *[(t.value, t.label) for t in Tier if t.value]]
    )


class CallForm(forms.Form):
    text = forms.CharField(
        label=_("What happened"),
        help_text=_("Such as the law and the day from which it applies. Whoever has to hold the review reads it."),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    cause = forms.ChoiceField(
        label=_("Cause"), choices=[(key, ReviewCall.Cause(key).label) for key in CALLABLE], initial="law"
    )
    everything = forms.BooleanField(label=_("All that fit the filter, not only those ticked"), required=False)
