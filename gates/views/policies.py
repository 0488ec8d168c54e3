"""Policies as documents that anybody can read, with their history and what changed between any two versions."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import role_name
from gates.criterion import criterion_types
from gates.in_force import body_of, rules_in_force
from gates.models import Policy, PolicyVersion
from gates.policy import TIERS, PolicyBody
from gates.policy_access import DRAFT, drafts_for, may, versions_for
from gates.policy_changes import GENERAL, Change, Effect, changes
from gates.services.policies import text_of
from kernel.htmx import render
from portfolio.models import BusinessUnit

TONES = {Effect.TIGHTENED: "info", Effect.LOOSENED: "attention", Effect.CHANGED: "neutral", Effect.REWORDED: "neutral"}


@login_required
def policies(request: HttpRequest) -> HttpResponse:
    """Every policy in force, what units add to it, and the drafts that the person may see."""
    user = _user(request)
    found = [
        {
            "version": version,
            "policy": body,
            "criteria": sum(len(g.criteria) for g in body.gates.values()),
            "may_draft": may(user, DRAFT, version.policy.unit),
        }
        for version, body in rules_in_force().every()
    ]
    context = {
        "policies": found,
        "drafts": drafts_for(user).exclude(state="discarded"),
        "may_extend": any(may(user, DRAFT, unit) for unit in BusinessUnit.objects.filter(parent__isnull=False)[:50]),
    }
    return render(request, "gates/policies.html", context)


@login_required
def policy(request: HttpRequest, key: str) -> HttpResponse:
    """One policy: gates, criteria with thresholds per tier, matrix, duties. ``?version=`` reads another version."""
    chosen = _chosen(request, key)
    body = body_of(chosen)
    context = {
        **_frame(request, chosen, "rules"),
        "gates": [_gate(body, gate) for gate in body.gates],
        "tiers": TIERS,
        "general": _general(body),
        "data": body.data,
    }
    return render(request, "gates/policy.html", context)


@login_required
def versions(request: HttpRequest, key: str) -> HttpResponse:
    """The history of a policy, and what changed between two versions: ``?from=`` and ``?to=``."""
    policy = get_object_or_404(Policy.objects.select_related("unit"), key=key)
    rows = list(versions_for(_user(request), policy))
    if not rows:
        raise Http404
    labels = {row.label: row for row in rows}
    newer = labels.get(request.GET.get("to", "")) or rows[0]
    older = labels.get(request.GET.get("from", "")) or _before(newer, rows)
    context = {
        **_frame(request, next((r for r in rows if r.state == "published"), rows[0]), "versions"),
        "versions": rows,
        "older": older,
        "newer": newer,
        **(compared(older, newer) if older else {}),
    }
    return render(request, "gates/policy_versions.html", context)


@login_required
def text(request: HttpRequest, key: str) -> HttpResponse:
    """The text of a version as written; ``?download`` sends it as a file."""
    chosen = _chosen(request, key)
    if "download" in request.GET:
        name = f"{key}-{chosen.label}.yaml".replace('"', "").replace(" ", "_")
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(text_of(chosen), content_type="application/yaml; charset=utf-8", headers=headers)
    return render(request, "gates/policy_text.html", {**_frame(request, chosen, "text"), "text": text_of(chosen)})


def compared(older: PolicyVersion, newer: PolicyVersion) -> dict[str, Any]:
    """What the template of a comparison shows: rule by rule, and line by line."""
    before, after = body_of(older), body_of(newer)
    found = changes(before, after)
    lines = difflib.unified_diff(text_of(older).splitlines(), text_of(newer).splitlines(), lineterm="", n=2)
    return {
        "groups": grouped(found, before, after),
        "tally": {str(e): sum(1 for c in found if c.effect is e) for e in Effect},
        "change_count": len(found),
        "diff_lines": [{"kind": _kind(line), "text": line} for line in list(lines)[2:]],
    }


def grouped(found: Iterable[Change], before: PolicyBody, after: PolicyBody) -> list[dict[str, Any]]:
    """Changes under the title of their gate, rule by rule."""
    groups: dict[str, dict[str, dict[str, Any]]] = {}
    for change in found:
        rules = groups.setdefault(change.gate, {})
        rule = rules.setdefault(change.rule, {"rule": change.rule, "title": change.title, "changes": []})
        rule["changes"].append({"change": change, "tone": TONES[change.effect]})
    return [
        {"key": gate, "title": _gate_title(gate, before, after), "rules": list(rules.values())}
        for gate, rules in groups.items()
    ]


def _gate_title(key: str, before: PolicyBody, after: PolicyBody) -> str:
    if key == GENERAL:
        return _("For every gate")
    gate = after.gates.get(key) or before.gates[key]
    return gate.title


def _kind(line: str) -> str:
    if line.startswith("@@"):
        return "place"
    return {"+": "added", "-": "removed"}.get(line[:1], "same")


def _before(newer: PolicyVersion, rows: list[PolicyVersion]) -> PolicyVersion | None:
    """The version it changes, else the one before it in time."""
    found = next((row for row in rows if row.pk == newer.base_id), None)
    position = rows.index(newer)
    return found or (rows[position + 1] if position + 1 < len(rows) else None)


def _chosen(request: HttpRequest, key: str) -> PolicyVersion:
    policy = get_object_or_404(Policy.objects.select_related("unit"), key=key)
    label = request.GET.get("version")
    rows = versions_for(_user(request), policy)
    found = rows.filter(label=label).first() if label else rows.filter(state="published").first() or rows.first()
    if found is None:
        raise Http404
    return found


def _frame(request: HttpRequest, version: PolicyVersion, current: str) -> dict[str, Any]:
    policy = version.policy
    query = f"?version={version.label}" if version.state != "published" else ""
    query = query.replace("+", "%2B").replace(" ", "%20")
    tabs = [
        ("rules", _("Rules"), reverse("gates:policy", args=[policy.key]) + query),
        ("versions", _("Versions"), reverse("gates:policy_versions", args=[policy.key])),
        ("text", _("Text"), reverse("gates:policy_text", args=[policy.key]) + query),
    ]
    return {
        "version": version,
        "policy": body_of(version),
        "tabs": [{"label": label, "url": url, "current": key == current} for key, label, url in tabs],
        "may_draft": may(_user(request), DRAFT, policy.unit) and version.state == "published",
        "conflicts": version.note.splitlines() if version.source and "+" in version.label else [],
    }


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
            {
                "tier": tier,
                "signers": [role_name(r) for r in slots.signers],
                "days": slots.decision_sla_days,
                "quorum": slots.board_quorum,
            }
            for tier, slots in body.matrix.get(key, {}).items()
        ],
    }


def _general(body: PolicyBody) -> list[dict[str, Any]]:
    """What holds for every gate, a row a rule and a column a tier."""
    every = dict.fromkeys(TIERS, body.sign_off_validity_days)
    rows = (
        (_("A passed gate is reviewed every"), body.cadence_days),
        (_("A signature counts for"), every),
        (_("A waiver runs at most"), body.waiver_days),
        (_("A breach is decided within"), body.breach_days),
    )
    return [{"name": name, "days": [days.get(tier) for tier in TIERS]} for name, days in rows if days]


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
