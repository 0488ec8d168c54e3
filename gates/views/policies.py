"""Policies as documents that anybody can read."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse

from accounts.roles import role_name
from gates.criterion import criterion_types
from gates.in_force import all_published, body_of
from gates.models import PolicyVersion
from gates.policy import TIERS, PolicyBody
from kernel.htmx import render


@login_required
def policies(request: HttpRequest) -> HttpResponse:
    """Every policy in force, with what it asks and how often it blocks."""
    found = [
        {"version": version, "policy": body, "criteria": sum(len(g.criteria) for g in body.gates.values())}
        for version, body in all_published()
    ]
    return render(request, "gates/policies.html", {"policies": found})


@login_required
def policy(request: HttpRequest, key: str) -> HttpResponse:
    """One policy: gates, criteria with thresholds per tier, matrix, duties. ``?version=`` reads an older one."""
    label = request.GET.get("version")
    versions = PolicyVersion.objects.filter(policy__key=key).exclude(state="draft").select_related("policy")
    chosen = versions.filter(label=label).first() if label else versions.filter(state="published").first()
    if chosen is None:
        raise Http404
    body = body_of(chosen)
    context = {
        "version": chosen,
        "versions": versions,
        "policy": body,
        "gates": [_gate(body, key) for key in body.gates],
        "tiers": TIERS,
    }
    return render(request, "gates/policy.html", context)


def _gate(body: PolicyBody, key: str) -> dict[str, object]:
    gate = body.gates[key]
    return {
        "gate": gate,
        "criteria": [
            {
                "criterion": c,
                "owner": role_name(c.owner),
                "type": criterion_types.get(c.type).label,
                "passes_when": criterion_types.get(c.type).passes_when,
                "tiers": [
                    {
                        "tier": tier,
                        "mode": c.applies[tier],
                        "limit": c.threshold.by_tier[tier] if c.threshold else None,
                        "days": c.validity_days.get(tier),
                    }
                    for tier in TIERS
                ],
            }
            for c in gate.criteria
        ],
        "matrix": [
            {"tier": tier, "signers": [role_name(r) for r in slots.signers], "days": slots.decision_sla_days}
            for tier, slots in body.matrix.get(key, {}).items()
        ],
    }
