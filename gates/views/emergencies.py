"""Emergency releases: the list, one release, and the steps of two people. Each step calls one service."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import actions_on, require
from gates.forms.emergencies import AskEmergencyForm, ConfirmEmergencyForm, EmergencyFilter, RefuseEmergencyForm
from gates.in_force import policy_for, primary
from gates.models import EmergencyRelease
from gates.obligations import releases_for
from gates.services.emergencies import (
    RIGHT,
    candidates,
    confirm_emergency,
    end_emergency,
    refuse_emergency,
    request_emergency,
    why_not_confirm,
    why_not_request,
)
from kernel.errors import Conflict, DomainError
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows
from ledger import lookups, wording
from ledger.selectors import events_for
from portfolio.views.common import find_use_case, person_of

COLUMNS = (
    Column("use_case", gettext_lazy("Use case"), "use_case__name", value=lambda r: r.use_case.name),
    Column("gate", gettext_lazy("Gate"), "gate"),
    Column("state", gettext_lazy("State"), "state", value=lambda r: r.get_state_display()),
    Column("requested", gettext_lazy("Asked for"), "requested_at", largest_first=True, value=lambda r: r.requested_at),
    Column("ends", gettext_lazy("Ends"), "ends_at", value=lambda r: r.ended_at or r.ends_at),
    Column("review", gettext_lazy("Full review"), "call__due_at", value=lambda r: r.call.due_at if r.call else ""),
)


@login_required
def emergencies(request: HttpRequest) -> HttpResponseBase:
    """Every emergency release of the use cases the person may see."""
    form = EmergencyFilter(request.GET)
    rows = _filtered(releases_for(person_of(request)), form)
    table: TableState[EmergencyRelease] = TableState.from_request(request, columns=COLUMNS, default_sort="-requested")
    if table.export_format:
        return export_rows(table.export_format, "emergency-releases", table.columns, table.order(rows).iterator())
    _version, policy = primary()
    extra = {"gates": policy.gates, "now": timezone.now()}
    context = {"table": table.paginate(rows), "form": form, "extra": extra}
    return render(request, "gates/emergencies.html", context, partial="table")


@login_required
def emergency(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One release: what was asked, by whom, until when, and what it costs."""
    return render(request, "gates/emergency.html", _context(request, _release(request, pk)))


@login_required
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, key: str) -> HttpResponse:
    """Ask for the release of the next gate of a use case."""
    use_case, person = find_use_case(request, key), person_of(request)
    require(person, RIGHT, use_case)
    _version, policy = policy_for(use_case)
    gate = policy.next_gate(use_case.stage)
    if gate is None:
        raise Conflict(_("%(key)s has no next gate: it has ended.") % {"key": key})
    form = AskEmergencyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = request_emergency(use_case=use_case, gate=gate.key, by=person, **form.cleaned_data)
        except DomainError as wrong:
            _explain(form, wrong)
        else:
            messages.success(request, _("Asked for. It releases nothing until a second person confirms it."))
            return redirect("gates:emergency", pk=made.pk)
    context = {
        "use_case": use_case,
        "gate": gate,
        "form": form,
        "why_not": "" if form.errors else why_not_request(use_case, gate.key),
        "people": [p for p in candidates(use_case) if p.pk != person.pk][:6],
    }
    return render(request, "gates/emergency_ask.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Put it in force, as the second person, after entering the password or a second factor."""
    release, person = _release(request, pk), person_of(request)
    if release.state == EmergencyRelease.State.REQUESTED and (why_not := why_not_confirm(release, person)):
        raise PermissionDenied(why_not)
    form = ConfirmEmergencyForm(request.POST if request.method == "POST" else None, request=request)
    if away := form.detour():
        return away
    if request.method == "POST" and form.is_valid():
        try:
            confirm_emergency(release=release, by=person)
        except DomainError as wrong:
            _explain(form, wrong)
        else:
            messages.success(request, _("Released. An incident is open and the full review is owed."))
            return redirect("gates:emergency", pk=pk)
    context = {**_context(request, release), "form": form}
    return render(request, "gates/emergency_confirm.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def refuse(request: HttpRequest, pk: UUID) -> HttpResponse:
    release, person = _release(request, pk), person_of(request)
    form = RefuseEmergencyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        refuse_emergency(release=release, by=person, reason=form.cleaned_data["reason"])
        messages.success(request, _("Refused. Nothing is released."))
        return redirect("gates:emergency", pk=pk)
    require(person, RIGHT, release.use_case)
    context = {**_context(request, release), "form": form}
    return render(request, "gates/emergency_refuse.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def end(request: HttpRequest, pk: UUID) -> HttpResponse:
    end_emergency(release=_release(request, pk), by=person_of(request))
    messages.success(request, _("Ended. The gate counts as passed no longer."))
    return redirect("gates:emergency", pk=pk)


def _release(request: HttpRequest, pk: UUID) -> EmergencyRelease:
    return get_object_or_404(releases_for(person_of(request)), pk=pk)


def _context(request: HttpRequest, release: EmergencyRelease) -> dict[str, Any]:
    person, now = person_of(request), timezone.now()
    _version, policy = policy_for(release.use_case)
    asked = release.state == EmergencyRelease.State.REQUESTED
    holds = release.holds(now)
    mine = person.pk in (release.requested_by_id, release.answered_by_id)
    may_release = mine or RIGHT in actions_on(person, release.use_case)
    why_not = why_not_confirm(release, person) if asked else ""
    return {
        "release": release,
        "use_case": release.use_case,
        "gate": policy.gates.get(release.gate),
        "holds": holds,
        "asked": asked,
        "why_not": why_not,
        "may_confirm": asked and not why_not,
        "may_refuse": asked and may_release and person.pk != release.requested_by_id,
        "may_end": (asked or holds) and may_release,
        "people": [p for p in candidates(release.use_case) if p.pk != release.requested_by_id][:6] if asked else [],
        "events": _events(release),
        "now": now,
    }


def _events(release: EmergencyRelease) -> list[dict[str, Any]]:
    """What was done about it, newest first."""
    rows = list(events_for(subject=release)[:20])
    actors = lookups.names("actor", (event.actor_id for event in rows))
    return [
        {
            "text": wording.title(event.action),
            "at": event.at,
            "person": str(actors.get(str(event.actor_id), _("Tollgate"))),
            "machine": event.actor_kind != "person",
            "icon": "warning",
            "url": reverse("ledger:event", args=[event.index]),
            "note": json.loads(event.body)["note"],
            "extra": f"#{event.index}",
        }
        for event in rows
    ]


def _filtered(rows: QuerySet[EmergencyRelease], form: EmergencyFilter) -> QuerySet[EmergencyRelease]:
    given = form.cleaned_data if form.is_valid() else {}
    if text := given.get("q", "").strip():
        rows = rows.filter(Q(use_case__name__icontains=text) | Q(use_case__key__icontains=text))
    return rows.filter(state=given["state"]) if given.get("state") else rows


def _explain(form: Any, wrong: DomainError) -> None:
    placed = False
    for name, said in wrong.errors.items():
        for line in said:
            form.add_error(name if name in form.fields else None, line)
            placed = True
    if not placed:
        form.add_error(None, f"{wrong} {wrong.hint}".strip())
