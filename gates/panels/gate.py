"""The Gate tab: the next gate under every policy, gates already passed, reviews."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.access import actions_on
from gates.breach_reading import breaches_of
from gates.engine import GateResult
from gates.models import GateAssurance, Review
from gates.obligations import calls_of, standing_release
from gates.owed import conditions_of
from gates.presenting import finding_rows
from gates.selectors import open_reviews, passed_gates
from gates.settling import forms_open_to
from gates.standing import results_of
from portfolio.models import UseCase
from portfolio.panel import Panel, panels
from portfolio.views.common import person_of


@panels.register
class GatePanel(Panel):
    key = "gate"
    title = _("Gate")
    order = 20
    template = "gates/panels/gate.html"

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        results = results_of(use_case)
        user = person_of(request)
        may_use = forms_open_to(user, use_case)
        running = list(open_reviews(use_case))
        passed = passed_gates(use_case)
        return {
            "blocks": [
                {
                    "result": r,
                    "policy": r.policy,
                    "gate": r.gate,
                    "rows": finding_rows(
                        r, use_case.key, may_use=may_use, may_waive="waiver.request" in actions_on(user, use_case)
                    ),
                    "met": r.met,
                    "required": r.required,
                }
                for r in results
            ],
            "open_reviews": running,
            "earlier": Review.objects.filter(use_case=use_case).exclude(state="open").select_related("decision")[:20],
            "passed": passed,
            "breaches": breaches_of(use_case),
            "conditions": conditions_of(use_case),
            "renewable": _renewable(use_case, passed, results),
            "release": standing_release(use_case, timezone.now()),
            "may_release": "emergency.release" in actions_on(user, use_case),
            "may_submit": "gate.submit" in actions_on(user, use_case),
            "may_end": bool({"gate.submit", "use_case.stop"} & actions_on(user, use_case) and results and not running),
            "primary": results[0] if results and results[0].policy.primary else None,
        }

    def count(self, use_case: UseCase) -> int | None:
        return (use_case.gate_required - use_case.gate_met) or None


def _renewable(use_case: UseCase, passed: list[GateAssurance], results: list[GateResult]) -> str:
    """The gate that led to the present stage, when its approval has to be given anew."""
    policy = next((r.policy for r in results if r.policy.primary), None)
    called = {call.gate for call in calls_of(use_case)}
    owed = [row.gate for row in passed if row.state == GateAssurance.State.REAPPROVAL or row.gate in called]
    here = [gate for gate in owed if policy and gate in policy.gates and policy.gates[gate].to_stage == use_case.stage]
    return here[-1] if here else ""
