"""Commitments and the blocks of a roadmap as forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from portfolio.forms.kpis import DayInput, plain
from portfolio.models import OperatingPlan, Phase
from portfolio.services.plans import PHASE_FIELDS, PLAN_FIELDS


def _money(label: Any, help_text: Any = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, min_value=0, max_digits=14, decimal_places=2, help_text=help_text
    )


def _area(label: Any, help_text: Any = "") -> forms.CharField:
    return forms.CharField(label=label, required=False, help_text=help_text, widget=forms.Textarea(attrs={"rows": 2}))


class PlanForm(forms.Form):
    """What has been committed; an empty field is a fact that is missing."""

    currency = forms.CharField(label=_("Currency"), max_length=3, min_length=3, initial="EUR")
    budget_poc = _money(_("PoC"))
    budget_build = _money(_("Build"))
    budget_run_year1 = _money(_("First year of operation"))
    budget_run = _money(_("Each year of operation"))
    budget_monitoring = _money(_("Monitoring"))
    budget_people = _money(_("People"))
    budget_end_date = forms.DateField(label=_("Budget ends on"), required=False, widget=DayInput)
    cost_to_date = _money(_("Spent so far"))
    production_cost_range = forms.CharField(
        label=_("Expected cost in production"), required=False, max_length=100, help_text=_("40–60 kEUR a year")
    )
    planned_end = forms.DateField(label=_("Planned end of this stage"), required=False, widget=DayInput)
    priority_rank = forms.IntegerField(label=_("Rank in the portfolio"), required=False, min_value=1)
    team = _area(_("Team"))
    support_hours = forms.CharField(label=_("Support hours"), required=False, max_length=200)
    support_targets = _area(_("Support targets"))
    support_levels = _area(_("Support levels"))
    support_review_calendar = forms.CharField(label=_("Review calendar"), required=False, max_length=200)
    retrain_cadence_days = forms.IntegerField(label=_("Retrain every (days)"), required=False, min_value=1)
    retrain_trigger = _area(_("Retrain when"))
    retrain_data_window = forms.CharField(label=_("Retrain on"), required=False, max_length=200)
    retrain_next_date = forms.DateField(label=_("Next retraining"), required=False, widget=DayInput)
    log_retention_days = forms.IntegerField(label=_("Keep logs for (days)"), required=False, min_value=1)

    SECTIONS: ClassVar[Sequence[tuple[Any, Sequence[str]]]] = (
        (
            _("Money"),
            (
                "currency",
                "budget_poc",
                "budget_build",
                "budget_run_year1",
                "budget_run",
                "budget_monitoring",
                "budget_people",
                "cost_to_date",
                "budget_end_date",
                "production_cost_range",
            ),
        ),
        (_("Time and people"), ("planned_end", "priority_rank", "team")),
        (_("Support"), ("support_hours", "support_review_calendar", "support_targets", "support_levels")),
        (
            _("Retraining and logs"),
            (
                "retrain_cadence_days",
                "retrain_next_date",
                "retrain_data_window",
                "retrain_trigger",
                "log_retention_days",
            ),
        ),
    )

    def __init__(self, data: Any = None, *, plan: OperatingPlan) -> None:
        values = {name: getattr(plan, name) for name in PLAN_FIELDS}
        initial = {
            name: plain(value) if _is_money(name) and value is not None else value for name, value in values.items()
        }
        super().__init__(data, initial=initial)

    @property
    def sections(self) -> list[dict[str, Any]]:
        return [{"title": title, "fields": [self[name] for name in names]} for title, names in self.SECTIONS]

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()


class PhaseForm(forms.Form):
    """A block of the roadmap, or a wave of a rollout with its exit check."""

    name = forms.CharField(label=_("Name"), max_length=200)
    kind = forms.ChoiceField(label=_("Kind"), choices=Phase.Kind.choices)
    state = forms.ChoiceField(label=_("State"), choices=Phase.State.choices)
    objective = _area(_("Objective"))
    starts_on = forms.DateField(label=_("Starts on"), required=False, widget=DayInput)
    ends_on = forms.DateField(label=_("Ends on"), required=False, widget=DayInput)
    owner = forms.ModelChoiceField(
        label=_("Owner"), required=False, queryset=User.objects.none(), empty_label=_("Nobody yet")
    )
    exit_check = _area(_("Exit check"), _("What has to be true before the next one starts."))
    order = forms.IntegerField(label=_("Position"), required=False, min_value=0, max_value=999)

    def __init__(self, data: Any = None, *, people: Sequence[User], phase: Phase | None = None) -> None:
        super().__init__(data, initial={name: getattr(phase, name) for name in PHASE_FIELDS} if phase else {})
        keys = {person.pk for person in people} | ({phase.owner_id} if phase and phase.owner_id else set())
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)
        owner.queryset = User.objects.filter(pk__in=keys).order_by("full_name")

    def values(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "order" or value is not None}


def _is_money(name: str) -> bool:
    return (name.startswith("budget_") and name != "budget_end_date") or name == "cost_to_date"
