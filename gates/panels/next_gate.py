"""The card beside every tab: how far the next gate is, and what is missing first."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from accounts.access import actions_on
from gates.presenting import finding_rows
from gates.selectors import open_reviews, passed_gates
from gates.settling import forms_open_to
from gates.standing import results_of
from portfolio.models import UseCase
from portfolio.panel import AsidePanel, aside_panels
from portfolio.views.common import person_of

SHOWN = 6


@aside_panels.register
class NextGate(AsidePanel):
    key = "next_gate"
    order = 10
    template = "gates/panels/next_gate.html"

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        user = person_of(request)
        may_use = forms_open_to(user, use_case)
        results = [r for r in results_of(use_case) if r.policy.primary]
        result = results[0] if results else None
        rows = [row for row in finding_rows(result, use_case.key, may_use=may_use) if row.blocks] if result else []
        signatures = {j.criterion.id for j in result.judged if j.signs} if result else set()
        missing = [row for row in rows if row.key not in signatures]
        return {
            "result": result,
            "gate": result.gate if result else None,
            "missing": missing[:SHOWN],
            "more": max(len(missing) - SHOWN, 0),
            "review": next(iter(open_reviews(use_case)), None),
            "may_submit": "gate.submit" in actions_on(user, use_case),
            "passed": passed_gates(use_case),
        }
