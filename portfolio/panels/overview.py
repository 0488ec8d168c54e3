"""Overview: what it is for, which facts decide its gates, what was committed, what came with an imported row."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import actions_on
from kernel.exports import plain
from ledger.wording import field_name
from portfolio.forms.plans import PlanForm
from portfolio.forms.use_cases import EU_ROLES, UseCaseForm
from portfolio.models import OperatingPlan, UseCase
from portfolio.panel import Panel, panels
from portfolio.views.common import person_of

LONG = frozenset({"summary", "problem_statement", "target_users", "non_ai_alternative", "objective"})


@panels.register
class Overview(Panel):
    key: ClassVar[str] = "overview"
    title: ClassVar[Any] = gettext_lazy("Overview")
    order: ClassVar[int] = 10
    template: ClassVar[str] = "portfolio/panels/overview.html"

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        plan = OperatingPlan.objects.filter(use_case=use_case).first()
        allowed = actions_on(person_of(request), use_case)
        why = UseCaseForm.SECTIONS[1][2]
        return {
            "intake": [{"label": _label(name), "text": getattr(use_case, name)} for name in why],
            "intake_missing": sum(not getattr(use_case, name) for name in why),
            "profile": profile_facts(use_case),
            "plan_sections": plan_facts(plan) if plan else [],
            "source": source_facts(use_case),
            "may_edit": "use_case.edit" in allowed,
        }


def profile_facts(use_case: UseCase) -> list[dict[str, Any]]:
    """The answers that decide which criteria apply; empty where nobody has answered."""
    names = (*UseCaseForm.SECTIONS[2][2], *UseCaseForm.SECTIONS[3][2])
    return [{"label": _label(name), "value": _shown(use_case, name)} for name in names]


def plan_facts(plan: OperatingPlan) -> list[dict[str, Any]]:
    """Commitments by section, without the fields that nobody filled in; sections with none are left out."""
    fields = PlanForm.base_fields
    sections = []
    for title, names in PlanForm.SECTIONS:
        items = [
            {"label": fields[name].label, "value": _plan_value(plan, name)}
            for name in names
            if name != "currency" and getattr(plan, name) not in (None, "")
        ]
        if items:
            sections.append({"title": title, "items": items})
    return sections


def source_facts(use_case: UseCase) -> list[dict[str, Any]]:
    """Every column of an imported row as it was read, so that nothing of the inventory is lost from sight."""
    columns = use_case.source_data
    if not isinstance(columns, dict):
        return []
    return [{"label": name, "value": _as_text(value)} for name, value in columns.items()]


def _label(name: str) -> Any:
    return UseCaseForm.base_fields[name].label


def _shown(use_case: UseCase, name: str) -> str:
    value = getattr(use_case, name)
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if name == "eu_role":
        return str(dict(EU_ROLES).get(value, value))
    if name == "oversight_tier":
        return use_case.get_oversight_tier_display()
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value)


def _plan_value(plan: OperatingPlan, name: str) -> str:
    value = getattr(plan, name)
    if (name.startswith("budget_") and name != "budget_end_date") or name == "cost_to_date":
        return f"{value:,.2f} {plan.currency}".replace(",", "\u202f")
    return date_format(value) if isinstance(value, date) else plain(value)


def _as_text(value: Any) -> str:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(f"{field_name(k)}: {v}" for k, v in value.items()) if isinstance(value, dict) else plain(value)
    return plain(value)
