"""How people stay in charge: the oversight plan and the kinds of decision with what is left to the machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils import timezone
from django.utils.translation import gettext as _

from governance.models import DecisionType, OversightPlan
from governance.services.permission import Actor, account_or_none, allow
from kernel.database import lock_rows
from kernel.errors import Invalid
from ledger import SYSTEM, state, unit_of_work
from portfolio.models import UseCase
from portfolio.models.use_cases import OversightTier
from portfolio.services import mark_change
from portfolio.signals import announce_change

PLAN = ("reviewers", "override_path", "stop_control")
TIERS = tuple(value for value in OversightTier.values if value)
DecisionTypes = Mapping[str, str] | Iterable[Mapping[str, str]]


def save_oversight(
    *,
    use_case: UseCase,
    by: Actor,
    reviewers: str | None = None,
    override_path: str | None = None,
    stop_control: str | None = None,
    decision_types: DecisionTypes | None = None,
) -> OversightPlan:
    """Write the plan; what is not given stays.

    ``decision_types`` is the whole list: name -> oversight tier ("" while it is open), or rows of ``name`` and
    ``oversight_tier``. A name that is missing is removed.
    """
    allow(by, "oversight.configure", use_case)
    types = None if decision_types is None else _types(decision_types)
    given = {"reviewers": reviewers, "override_path": override_path, "stop_control": stop_control}
    with unit_of_work(by=by) as uow:
        lock_rows(UseCase.objects.filter(pk=use_case.pk)).get()
        plan = OversightPlan.objects.filter(use_case=use_case).first() or OversightPlan(use_case=use_case)
        before = {**state(plan, PLAN), "decision_types": _current(use_case)}
        for name, text in given.items():
            if text is not None:
                setattr(plan, name, text.strip())
        plan.updated_by, plan.updated_at = account_or_none(by) or plan.updated_by, timezone.now()
        after = {**state(plan, PLAN), "decision_types": before["decision_types"] if types is None else types}
        if after == before and not plan._state.adding:
            return plan
        plan.save()
        if types is not None:
            _keep(use_case, types)
        uow.record("oversight.saved", subject=plan, use_case=use_case, before=before, after=after)
        announce_change(uow, use_case.pk, "oversight")
        if types is not None and _another_tier(before["decision_types"], types):
            note = _("A kind of decision is overseen differently.")
            mark_change(use_case=use_case, what="oversight", note=note, by=SYSTEM)
    return plan


def _another_tier(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Settling what was open is no change; another tier for a kind of decision that had one is."""
    return any(tier and after.get(name, tier) != tier for name, tier in before.items())


def _current(use_case: UseCase) -> dict[str, str]:
    return dict(DecisionType.objects.filter(use_case=use_case).values_list("name", "oversight_tier"))


def _keep(use_case: UseCase, types: Mapping[str, str]) -> None:
    there = {row.name: row for row in DecisionType.objects.filter(use_case=use_case)}
    DecisionType.objects.filter(use_case=use_case).exclude(name__in=types).delete()
    for name, tier in types.items():
        row = there.get(name) or DecisionType(use_case=use_case, name=name)
        if row._state.adding or row.oversight_tier != tier:
            row.oversight_tier, row.updated_at = tier, timezone.now()
            row.save()


def _types(given: DecisionTypes) -> dict[str, str]:
    if isinstance(given, Mapping):
        rows = list(given.items())
    else:
        rows = [(str(row.get("name", "")), str(row.get("oversight_tier", ""))) for row in given]
    found: dict[str, str] = {}
    for name, tier in rows:
        if not name.strip():
            continue
        if tier and tier not in TIERS:
            message = _("%(name)s: choose one of %(tiers)s.") % {"name": name, "tiers": ", ".join(TIERS)}
            raise Invalid(message, errors={"decision_types": [message]})
        found[name.strip()[:200]] = tier
    return dict(sorted(found.items()))
