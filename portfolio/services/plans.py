"""What has been committed to a use case, and the blocks of its roadmap."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from kernel.errors import Invalid
from ledger import state, unit_of_work
from portfolio.models import OperatingPlan, Phase, UseCase
from portfolio.services.checks import assign, locked, refuse, refuse_unknown
from portfolio.services.rights import Actor, demand, demand_any
from portfolio.signals import announce_change

PLAN_FIELDS = tuple(
    field.name for field in OperatingPlan._meta.concrete_fields if field.name not in {"use_case", "updated_at"}
)
PHASE_FIELDS = ("kind", "name", "objective", "order", "starts_on", "ends_on", "state", "owner", "exit_check")
PROGRESS_FIELDS = frozenset({"state"})
"""What those who do the work may change of a phase; the rest is for those who plan it."""


def edit_plan(*, use_case: UseCase, changes: Mapping[str, Any], by: Actor) -> OperatingPlan:
    """Change commitments of a use case. A field that is given empty becomes a fact that is missing."""
    demand(by, "use_case.edit", use_case)
    refuse_unknown(changes, PLAN_FIELDS)
    with unit_of_work(by=by) as uow:
        fresh = locked(UseCase, use_case.pk, "unit")
        plan = OperatingPlan.objects.filter(use_case=fresh).first() or OperatingPlan(use_case=fresh)
        before = state(plan, PLAN_FIELDS)
        assign(plan, changes)
        _refuse_negative_money(plan)
        after = state(plan, PLAN_FIELDS)
        if plan._state.adding or after != before:
            plan.save()
            uow.record("plan.edited", subject=plan, use_case=fresh, before=before, after=after)
            announce_change(uow, fresh.pk, "plan")
    return plan


def save_phase(
    *, use_case: UseCase, by: Actor, changes: Mapping[str, Any], phase: Phase | None = None, reason: str = ""
) -> Phase:
    """Add a phase, or change one. Whoever does the work may say how far it is; planning it needs another right."""
    refuse_unknown(changes, PHASE_FIELDS)
    only_progress = phase is not None and set(changes) <= PROGRESS_FIELDS
    rights = ("roadmap.edit", "activity.update") if only_progress else ("roadmap.edit",)
    demand_any(by, rights, use_case, _("Your roles here do not allow you to change the roadmap."))
    with unit_of_work(by=by) as uow:
        fresh = locked(UseCase, use_case.pk, "unit")
        kept = locked(Phase, phase.pk) if phase else Phase(use_case=fresh, order=_next_order(fresh))
        if kept.use_case_id != fresh.pk:
            raise Invalid(_("This phase belongs to another use case."))
        before = state(kept, PHASE_FIELDS) if phase else None
        assign(kept, changes)
        _refuse_backwards(kept.starts_on, kept.ends_on)
        after = state(kept, PHASE_FIELDS)
        if after != before:
            kept.save()
            action = "phase.edited" if phase else "phase.added"
            uow.record(action, subject=kept, use_case=fresh, before=before, after=after, note=reason)
            announce_change(uow, fresh.pk, "roadmap")
    return kept


def _next_order(use_case: UseCase) -> int:
    last = use_case.phases.order_by("-order").values_list("order", flat=True).first()
    return 0 if last is None else last + 1


def _refuse_backwards(starts_on: date | None, ends_on: date | None) -> None:
    if starts_on and ends_on and ends_on < starts_on:
        refuse({"ends_on": [_("The end is before the start.")]})


def _refuse_negative_money(plan: OperatingPlan) -> None:
    money = [name for name in PLAN_FIELDS if name.startswith("budget_") or name == "cost_to_date"]
    negative = [name for name in money if name != "budget_end_date" and (getattr(plan, name) or 0) < 0]
    refuse({name: [_("An amount cannot be negative.")] for name in negative})
