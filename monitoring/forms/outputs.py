"""The sampling plan, the verdicts and the filters of outputs as forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from monitoring.forms.filters import Filters
from monitoring.models import Answer, ReasonCode, ReviewItem, SamplingPlan
from monitoring.reviewing import owed_outputs
from monitoring.services.output_reviews import CORRECTED_LENGTH, REASON_LENGTH
from monitoring.services.sampling_plans import FIELDS, LARGEST


class AgainstForm(forms.Form):
    """Why an output is wrong."""

    reason_code = forms.ChoiceField(label=_("What is wrong"), choices=[("", _("Choose…")), *ReasonCode.choices])
    reason = forms.CharField(
        label=_("Why"), max_length=REASON_LENGTH, widget=forms.Textarea(attrs={"rows": 3, "data-submit": "ctrl-enter"})
    )


class OverrideForm(AgainstForm):
    """Why an output is wrong, and what it should have been."""

    corrected = forms.CharField(
        label=_("What it should have been"),
        max_length=CORRECTED_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4, "data-submit": "ctrl-enter"}),
    )


class SamplingPlanForm(forms.Form):
    """Which outputs people look at. Segments and their quotas are lines such as ``motor: 5``."""

    enabled = forms.BooleanField(
        label=_("Draw outputs for review"),
        required=False,
        help_text=_("Switched off, outputs are listed and not drawn."),
    )
    random_percent = forms.FloatField(
        label=_("Share drawn at random"),
        min_value=0,
        max_value=100,
        help_text=_("In per cent of all outputs. Disagreement is judged on these alone: only they speak for all."),
    )
    below_confidence = forms.FloatField(
        label=_("Always when the confidence is below"), required=False, min_value=0, max_value=1, help_text=_("0 to 1.")
    )
    quotas = forms.CharField(
        label=_("Quotas of segments"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("A line each: the segment, a colon, outputs a day. Such as “motor: 5”."),
    )
    most_per_day = forms.IntegerField(
        label=_("At most a day"),
        min_value=0,
        max_value=LARGEST["most_per_day"],
        help_text=_("What reviewers can do. Beyond it the random share comes first, then low confidence, then quotas."),
    )
    double_percent = forms.FloatField(
        label=_("Share reviewed by two people"),
        min_value=0,
        max_value=100,
        help_text=_("In per cent of the sample. It tells how far reviewers agree with each other."),
    )
    due_hours = forms.IntegerField(
        label=_("Due after"), min_value=1, max_value=LARGEST["due_hours"], help_text=_("Hours.")
    )
    keep_days = forms.IntegerField(
        label=_("Keep what outputs held for"),
        min_value=1,
        max_value=LARGEST["keep_days"],
        help_text=_("Days. Then it is deleted; the verdicts and the digest stay."),
    )
    window_days = forms.IntegerField(
        label=_("Statistics look back"), min_value=1, max_value=LARGEST["window_days"], help_text=_("Days.")
    )
    most_disagreement = forms.FloatField(
        label=_("Most disagreement"),
        min_value=0,
        max_value=100,
        help_text=_("In per cent. Above it the version fails, which the gate sees."),
    )
    min_sample = forms.IntegerField(
        label=_("Least sample"),
        min_value=1,
        max_value=LARGEST["min_sample"],
        help_text=_("Reviews below which nothing is concluded."),
    )

    def __init__(self, *args: Any, plan: SamplingPlan, **kwargs: Any) -> None:
        initial = {name: getattr(plan, name) for name in FIELDS}
        initial["quotas"] = "\n".join(f"{name}: {count}" for name, count in plan.segment_quotas.items())
        super().__init__(*args, **{**kwargs, "initial": initial})

    def clean_quotas(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for line in filter(str.strip, self.cleaned_data["quotas"].splitlines()):
            name, colon, count = line.rpartition(":")
            if not colon or not name.strip() or not count.strip().isdigit():
                raise forms.ValidationError(_now("“%(line)s” is not a segment, a colon and a number.") % {"line": line})
            found[name.strip()] = int(count)
        return found

    def values(self) -> dict[str, Any]:
        given = dict(self.cleaned_data)
        return {"segment_quotas": given.pop("quotas"), **given}


class OutputFilterForm(Filters):
    """What one may not know yet, because one's own review is owed, is not found by a verdict."""

    q = forms.CharField(label=_("Search"), required=False)
    review = forms.ChoiceField(
        label=_("Review"),
        required=False,
        choices=[
            ("", _("Reviewed or not")),
            ("waiting", _("Waiting")),
            ("overdue", _("Overdue")),
            ("done", _("Reviewed")),
            ("expired", _("Not reviewed in time")),
            ("none", _("Not drawn")),
        ],
    )
    answer = forms.ChoiceField(label=_("Verdict"), required=False, choices=[("", _("Any verdict")), *Answer.choices])
    why = forms.ChoiceField(
        label=_("Drawn by"), required=False, choices=[("", _("However drawn")), *ReviewItem.Why.choices]
    )
    use_case = forms.CharField(label=_("Use case"), required=False, widget=forms.HiddenInput)
    version = forms.CharField(label=_("Version"), required=False, widget=forms.HiddenInput)
    segment = forms.CharField(label=_("Segment"), required=False, widget=forms.HiddenInput)

    conditions: ClassVar[dict[str, Callable[[Any, User], Q]]] = {
        "q": lambda value, _user: (
            Q(external_id__icontains=value)
            | Q(summary__icontains=value)
            | Q(case_id__icontains=value)
            | Q(use_case__name__icontains=value)
            | Q(use_case__key__icontains=value)
        ),
        "review": lambda value, _user: _reviewed(value),
        "answer": lambda value, user: _having(answer=value) & ~Q(pk__in=owed_outputs(user)),
        "why": lambda value, _user: _having(why=value),
        "use_case": lambda value, _user: Q(use_case__key=value),
        "version": lambda value, _user: Q(version__label=value),
        "segment": lambda value, _user: Q(segment=value),
    }


def _reviewed(value: str) -> Q:
    if value == "none":
        return Q(sampled=False)
    if value == "overdue":
        return _having(state=ReviewItem.ItemState.WAITING, due_at__lt=timezone.now())
    return _having(state=value)


def _having(**fields: Any) -> Q:
    return Q(pk__in=ReviewItem.objects.filter(**fields).values("output"))
