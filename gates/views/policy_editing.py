"""Edit a draft: as text, or in a form that changes single values of the text. Nothing is saved that is not sound."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from gates.extension_edits import criterion_place, kept_within, signer_edits
from gates.forms.policies import (
    CriterionForm,
    ExtensionForm,
    GeneralForm,
    PolicyForm,
    SlotsForm,
    TextForm,
    changed_signers,
)
from gates.in_force import body_of, primary
from gates.models import PolicyVersion
from gates.policy import TIERS, Criterion, Gate
from gates.policy_edits import Edit, edited
from gates.policy_extension import least_tier_of
from gates.services.policies import DraftChanged, save_draft, text_digest, text_of
from gates.views.policy_drafts import draft_frame, explain, find_draft
from kernel.errors import DomainError, Invalid
from kernel.htmx import render
from kernel.located import Path

LINE = re.compile(r" line (\d+)(?:, column (\d+))?")


@login_required
@require_http_methods(["GET", "POST"])
def edit_text(request: HttpRequest, pk: str) -> HttpResponse:
    """The text with its line numbers; what is wrong is listed by line, and what was typed stays in the box."""
    version = _editable(request, pk)
    initial = {"text": text_of(version), "note": version.note, "seen": text_digest(version)}
    form = TextForm(_posted(request), initial=initial)
    problems: list[dict[str, Any]] = []
    status = 200
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            save_draft(version=version, by=_user(request), **given)
        except DraftChanged as meanwhile:
            form.add_error(None, f"{meanwhile} {meanwhile.hint}")
            status = 409
        except DomainError as wrong:
            problems = _located(wrong, given["text"])
            if not problems:
                explain(form, wrong)
            status = wrong.status
        else:
            messages.success(request, _("Saved."))
            return redirect("gates:policy_draft", pk=version.pk)
    elif form.errors:
        status = 422
    context = {**draft_frame(request, version, "text"), "form": form, "problems": problems, "theirs": text_of(version)}
    context["changed_meanwhile"] = status == 409 and not problems
    return render(request, "gates/policy_draft_text.html", context, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def edit_form(request: HttpRequest, pk: str) -> HttpResponse:
    """What holds for every gate, and the way to each criterion and each row of signatures."""
    version = _editable(request, pk)
    body = body_of(version)
    known: dict[str, Any] = {"body": body, "seen": text_digest(version)}
    form = (
        ExtensionForm(_posted(request), **known, least_tier=least_tier_of(version.source, version.policy.key))
        if version.source
        else GeneralForm(_posted(request), **known)
    )
    if _save(request, version, form, form.edits):
        return redirect("gates:policy_draft_form", pk=version.pk)
    context = {
        **draft_frame(request, version, "form"),
        "form": form,
        "gates": [
            {
                "gate": gate,
                "rows": [{"criterion": c, "tiers": [_cell(c, tier) for tier in TIERS]} for c in gate.criteria],
                "slots": body.matrix.get(gate.key, {}),
            }
            for gate in body.gates.values()
        ],
        "tiers": TIERS,
    }
    return render(request, "gates/policy_draft_form.html", context, status=_status(form))


@login_required
@require_http_methods(["GET", "POST"])
def edit_criterion(request: HttpRequest, pk: str, gate: str, criterion: str) -> HttpResponse:
    """One criterion: mode, threshold and validity a tier."""
    version = _editable(request, pk)
    found = _gate(version, gate)
    position = next((i for i, c in enumerate(found.criteria) if c.id == criterion), None)
    if position is None:
        raise Http404
    rule = found.criteria[position]
    place: Path = ("gates", gate, "criteria", position)
    if version.source:
        place = criterion_place(version.source, version.policy.key, found, position)
    form = CriterionForm(
        _posted(request), criterion=rule, inherited=_inherited(version, gate, criterion), seen=text_digest(version)
    )
    if _save(request, version, form, lambda: form.edits(place)):
        return redirect(reverse("gates:policy_draft_form", args=[version.pk]) + f"#{gate}")
    context = {**draft_frame(request, version, "form"), "form": form, "criterion": rule, "gate": found}
    return render(request, "gates/policy_draft_criterion.html", context, status=_status(form))


@login_required
@require_http_methods(["GET", "POST"])
def edit_signatures(request: HttpRequest, pk: str, gate: str) -> HttpResponse:
    """Who signs one gate."""
    version = _editable(request, pk)
    found = _gate(version, gate)
    matrix = dict(body_of(version).matrix.get(gate, {}))
    if not matrix:
        raise Http404
    form = SlotsForm(_posted(request), matrix=matrix, seen=text_digest(version))
    signers = partial(signer_edits, version.source, version.policy.key) if version.source else changed_signers
    if _save(request, version, form, lambda: form.edits(("approval_matrix", gate), signers)):
        return redirect(reverse("gates:policy_draft_form", args=[version.pk]) + f"#{gate}")
    context = {**draft_frame(request, version, "form"), "form": form, "gate": found}
    return render(request, "gates/policy_draft_signatures.html", context, status=_status(form))


def _save(request: HttpRequest, version: PolicyVersion, form: PolicyForm, edits: Any) -> bool:
    """Whether the form was sent and saved. What it refuses stands at the form."""
    if request.method != "POST" or not form.is_valid():
        return False
    try:
        changed: list[Edit] = edits()
        if version.source:
            changed = kept_within(version.source, version.policy.key, changed)
        seen = form.cleaned_data["seen"]
        if seen != text_digest(version):
            raise DraftChanged(
                _("Somebody saved this draft after you had opened it. Yours was not saved."),
                hint=_("Open it again: your values are still in this form."),
            )
        text = edited(text_of(version), changed, version.policy.key)
        save_draft(version=version, text=text, by=_user(request), seen=seen)
    except DomainError as wrong:
        form.refused = wrong.status
        lines = wrong.errors.get("text") or [f"{wrong} {wrong.hint}".strip()]
        for line in lines:
            form.add_error(None, line)
        return False
    messages.success(request, _("Saved.") if changed else _("Nothing differed, so nothing was saved."))
    return True


def _inherited(version: PolicyVersion, gate: str, criterion: str) -> Criterion | None:
    """What the organisation asks of a criterion that a unit tightens."""
    there = primary()[1].gates.get(gate) if version.source else None
    return next((c for c in there.criteria if c.id == criterion), None) if there else None


def _status(form: PolicyForm) -> int:
    return form.refused if form.errors and form.refused else 422 if form.errors else 200


def _located(wrong: DomainError, text: str) -> list[dict[str, Any]]:
    """Each problem with its line, and the text of that line."""
    if not isinstance(wrong, Invalid):
        return []
    lines = text.replace("\r\n", "\n").split("\n")
    found = []
    for said in wrong.errors.get("text") or [str(wrong)]:
        match = LINE.search(said)
        if match is None:
            continue
        number = int(match[1])
        column = int(match[2] or 1)
        excerpt = lines[number - 1][:200] if number <= len(lines) else ""
        message = said[match.end() :].lstrip(":, ")
        found.append({"line": number, "column": column, "message": message, "excerpt": excerpt})
    return found


def _cell(criterion: Any, tier: str) -> dict[str, Any]:
    limit = criterion.threshold
    return {
        "mode": criterion.applies[tier],
        "limit": limit.by_tier[tier] if limit else None,
        "op": limit.op if limit else "",
        "unit": limit.unit if limit else "",
        "days": criterion.validity_days.get(tier),
    }


def _gate(version: PolicyVersion, key: str) -> Gate:
    gates = body_of(version).gates
    if key not in gates:
        raise Http404
    return gates[key]


def _editable(request: HttpRequest, pk: str) -> PolicyVersion:
    version = find_draft(request, pk)
    if not draft_frame(request, version, "text")["may_edit"]:
        raise PermissionDenied(_("You may read this draft, but not change it."))
    return version


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
