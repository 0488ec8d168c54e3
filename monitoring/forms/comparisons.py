"""Comparisons as forms: the rule, the verdict, the filters of their list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from governance.models import ModelVersion
from monitoring.catalogue import HIGHER, LOWER
from monitoring.forms.filters import Filters
from monitoring.models import Comparison, Series
from monitoring.selectors.comparing import versions_of
from monitoring.services.comparisons import REASON_LENGTH
from monitoring.wording import metric_choices
from portfolio.models import UseCase


class VersionField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in stubs alone
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.model.name} {obj.label} ({obj.get_state_display().lower()})"


class ComparisonForm(forms.Form):
    """What is compared, and the rule that decides, before the first figure is seen."""

    champion = VersionField(label=_("Champion"), queryset=ModelVersion.objects.none(), help_text=_("The one in use."))
    challenger = VersionField(label=_("Challenger"), queryset=ModelVersion.objects.none())
    kind = forms.ChoiceField(label=_("How it runs"), choices=Comparison.Kind.choices, widget=forms.RadioSelect)
    traffic_percent = forms.FloatField(
        label=_("Share of the traffic"),
        min_value=0,
        max_value=100,
        initial=100,
        help_text=_("Of the challenger, in per cent."),
    )
    basis = forms.ChoiceField(
        label=_("What decides"),
        choices=Comparison.Basis.choices,
        widget=forms.RadioSelect,
        help_text=_("Case by case needs outputs of both versions that share their case_id."),
    )
    metric = forms.ChoiceField(
        label=_("Metric"),
        required=False,
        choices=(),
        help_text=_("For means of points; each version has a series of its own. Reviews need none."),
    )
    margin = forms.FloatField(
        label=_("Better by more than"),
        initial=0,
        help_text=_("In the unit of the metric. 0: any certain gain. Below 0: it may be that much worse."),
    )
    guardrails = forms.MultipleChoiceField(
        label=_("Must not grow worse"), required=False, choices=(), widget=forms.CheckboxSelectMultiple
    )
    min_sample = forms.IntegerField(
        label=_("Least sample"),
        min_value=2,
        max_value=10_000_000,
        initial=30,
        help_text=_("Points, reviews or cases of each."),
    )
    min_days = forms.IntegerField(label=_("Least days"), min_value=0, max_value=3650, initial=7)
    starts_at = forms.DateTimeField(
        label=_("Starts (UTC)"),
        required=False,
        help_text=_("Empty: now. Figures from before do not count."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )
    ends_at = forms.DateTimeField(
        label=_("Ends (UTC)"),
        required=False,
        help_text=_("Empty: with the verdict."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )
    note = forms.CharField(
        label=_("What else was agreed"),
        required=False,
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, use_case: UseCase, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        versions = versions_of(use_case.pk).exclude(state=ModelVersion.VersionState.RETIRED)
        for name in ("champion", "challenger"):
            field: Any = self.fields[name]
            field.queryset = versions
        live = versions.filter(state=ModelVersion.VersionState.LIVE).first()
        self.initial.setdefault("champion", live)
        self.initial.setdefault("kind", Comparison.Kind.SHADOW)
        self.initial.setdefault("basis", Comparison.Basis.POINTS)
        watched = metric_choices(Series.objects.filter(use_case=use_case, direction__in=(HIGHER, LOWER)))
        chosen: Any = self.fields["metric"]
        chosen.choices = [("", _("Choose…")), *watched]
        guards: Any = self.fields["guardrails"]
        guards.choices = watched

    def values(self) -> dict[str, Any]:
        given = dict(self.cleaned_data)
        return {**given, "starts_at": given["starts_at"] or timezone.now()}


class ComparisonVerdictForm(forms.Form):
    verdict = forms.ChoiceField(label=_("Verdict"), choices=Comparison.Verdict.choices, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Why"),
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("It becomes part of the record, with the figures as they are now, and cannot be changed."),
    )


class ComparisonFilterForm(Filters):
    q = forms.CharField(label=_("Search"), required=False)
    state = forms.ChoiceField(
        label=_("Verdict"),
        required=False,
        choices=[("", _("Any verdict")), ("open", _("Without a verdict")), *Comparison.Verdict.choices],
    )
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("Any kind")), *Comparison.Kind.choices])
    use_case = forms.CharField(label=_("Use case"), required=False, widget=forms.HiddenInput)

    conditions: ClassVar[dict[str, Callable[[Any, User], Q]]] = {
        "q": lambda value, _user: (
            Q(use_case__name__icontains=value)
            | Q(use_case__key__icontains=value)
            | Q(challenger__label__icontains=value)
            | Q(champion__label__icontains=value)
            | Q(metric__icontains=value)
        ),
        "state": lambda value, _user: Q(verdict="" if value == "open" else value),
        "kind": lambda value, _user: Q(kind=value),
        "use_case": lambda value, _user: Q(use_case__key=value),
    }
