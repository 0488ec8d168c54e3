"""The sampling plan of a use case: set by whoever configures human oversight."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from kernel.database import lock_rows
from ledger import state, unit_of_work
from monitoring.models import SamplingPlan
from portfolio.models import UseCase
from portfolio.services.checks import assign, refuse, refuse_unknown
from portfolio.services.rights import Actor, demand, person

FIELDS = (
    "enabled",
    "seed",
    "random_percent",
    "below_confidence",
    "segment_quotas",
    "most_per_day",
    "double_percent",
    "due_hours",
    "keep_days",
    "window_days",
    "most_disagreement",
    "min_sample",
)
LARGEST = {"most_per_day": 10_000, "due_hours": 24 * 90, "keep_days": 3650, "window_days": 365, "min_sample": 100_000}
MOST_QUOTAS = 50


def set_sampling_plan(*, use_case: UseCase, plan: Mapping[str, Any], by: Actor) -> SamplingPlan:
    """Say which outputs people look at. What is not given stays as it is, or as the defaults have it.

    What was drawn stays drawn. Without a seed one is made; it stays, so that a repeat draws the same.
    """
    demand(by, "oversight.configure", use_case)
    refuse_unknown(plan, FIELDS)
    _check(plan)
    with unit_of_work(by=by) as uow:
        rows = lock_rows(SamplingPlan.objects.filter(use_case=use_case))
        row = rows.first() or SamplingPlan(use_case=use_case, seed="")
        before = state(row, FIELDS) if row.seed else None
        assign(row, {name: value for name, value in plan.items() if name != "segment_quotas"})
        if "segment_quotas" in plan:
            row.segment_quotas = dict(sorted(plan["segment_quotas"].items()))
        row.seed = row.seed or secrets.token_hex(8)
        if state(row, FIELDS) == before:
            return row
        row.updated_by, row.updated_at = person(by), timezone.now()
        row.measure_asked_at = row.updated_at
        row.save()
        uow.record("sampling.set", subject=row, use_case=use_case, before=before, after=state(row, FIELDS))
    return row


def _check(plan: Mapping[str, Any]) -> None:
    errors: dict[str, list[str]] = {}
    for name in ("random_percent", "double_percent", "most_disagreement"):
        value = plan.get(name)
        if value is not None and not (math.isfinite(value) and 0 <= value <= 100):
            errors[name] = [_("Give a share between 0 and 100 per cent.")]
    below = plan.get("below_confidence")
    if below is not None and not (math.isfinite(below) and 0 <= below <= 1):
        errors["below_confidence"] = [_("Give a confidence between 0 and 1.")]
    for name, most in LARGEST.items():
        least = 0 if name == "most_per_day" else 1
        if (value := plan.get(name)) is not None and not least <= value <= most:
            errors[name] = [_("Give a whole number from %(least)d to %(most)d.") % {"least": least, "most": most}]
    if "segment_quotas" in plan and not _are_quotas(plan["segment_quotas"]):
        errors["segment_quotas"] = [_("Give each segment, by its name, a whole number of outputs a day.")]
    refuse(errors)


def _are_quotas(quotas: Any) -> bool:
    return (
        isinstance(quotas, dict)
        and len(quotas) <= MOST_QUOTAS
        and all(isinstance(name, str) and 0 < len(name) <= 100 for name in quotas)
        and all(type(count) is int and 0 <= count <= LARGEST["most_per_day"] for count in quotas.values())
    )
