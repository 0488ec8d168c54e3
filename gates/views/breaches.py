"""Decisions after breaches: the list, one of them, and the steps that change it. Each step calls one service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import for_user
from accounts.models import User
from gates.breach_reading import breaches_for, by_state, searched
from gates.breaching import OPEN
from gates.forms.breaches import BreachFilter, BreachForm, ConfirmForm, RefuseForm
from gates.models import BreachDecision
from gates.policy import judged_tier
from gates.services.breaches import (
    RIGHT,
    authority_of,
    confirm_acceptance,
    decide_breach,
    longest_acceptance,
    refuse_acceptance,
    require_proposed,
)
from gates.views.breach_page import breach_context
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows
from monitoring.models import Alert
from portfolio.views.common import allow, answer, attempt, person_of

COLUMNS = (
    Column("breach", gettext_lazy("Breach"), "number", largest_first=True, value=lambda b: f"{b}: {b.alert.message}"),
    Column("use_case", gettext_lazy("Use case"), "use_case__name", value=lambda b: b.use_case.name),
    Column("tier", gettext_lazy("Tier"), "tier", value=lambda b: b.tier),
    Column("owed_by", gettext_lazy("Owed by"), "owed_by__full_name", value=lambda b: str(b.owed_by or "")),
    Column("due", gettext_lazy("Due"), "due_at", value=lambda b: b.due_at),
    Column("state", gettext_lazy("State"), "state", value=lambda b: b.get_state_display()),
    Column("decision", gettext_lazy("Decision"), "outcome", value=lambda b: b.get_outcome_display()),
    Column("decided", gettext_lazy("Decided"), "decided_at", largest_first=True, value=lambda b: b.decided_at),
)


@require_safe
@login_required
def breaches(request: HttpRequest) -> HttpResponseBase:
    """Decisions after breaches of the use cases the person may see; the newest first."""
    form = BreachFilter(request.GET)
    rows = _filtered(breaches_for(person_of(request)), form, person_of(request))
    table: TableState[BreachDecision] = TableState.from_request(request, columns=COLUMNS, default_sort="breach")
    if table.export_format:
        return export_rows(table.export_format, "breaches", table.columns, table.order(rows).iterator())
    context = {"table": table.paginate(rows), "form": form}
    return render(request, "gates/breaches.html", context, partial="table")


@require_safe
@login_required
def breach(request: HttpRequest, number: int) -> HttpResponse:
    """One decision: what happened, what is owed by whom, what was decided on which facts."""
    found = get_object_or_404(breaches_for(person_of(request)), number=number)
    return render(request, "gates/breach.html", breach_context(found, person_of(request)))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What is done after the breach of this alert."""
    related = ("series__use_case__unit", "series__version", "rule")
    alerts = for_user(Alert.objects.select_related(*related), person_of(request), "use_case.view")
    alert = get_object_or_404(alerts, pk=pk)
    use_case = alert.series.use_case
    allow(request, use_case, RIGHT)
    rows = breaches_for(person_of(request)).filter(alert=alert).order_by("-occasion")
    settled = rows.exclude(state__in=OPEN).first()
    row = rows.filter(state__in=OPEN).first()
    if row is None and settled is not None:
        messages.info(request, _("This breach was decided already."))
        return redirect("gates:breach", number=settled.number)
    form = BreachForm(
        request.POST or None,
        most_days=longest_acceptance(use_case),
        takes_two=judged_tier(use_case.tier) == "high",
    )
    if request.method == "POST" and form.is_valid():
        made = attempt(form, lambda: decide_breach(alert=alert, by=person_of(request), **form.cleaned_data))
        if made is not None:
            proposed = made.state == BreachDecision.State.PROPOSED
            said = _("Proposed: somebody else confirms it.") if proposed else _("The decision is on record.")
            messages.success(request, said)
            return redirect("gates:breach", number=made.number)
    context = {"form": form, "alert": alert, "use_case": use_case, "breach": row}
    return render(request, "gates/breach_decide.html", context, status=answer(form))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def confirm(request: HttpRequest, number: int) -> HttpResponse:
    """The second person agrees that it is accepted."""
    words = (
        _("Confirm that this is accepted"),
        _("You say with your name that this breach may last until the day named, for the reason given."),
        _("The decision is on record."),
    )
    return _second(request, number, ConfirmForm, words, confirm_acceptance)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def refuse(request: HttpRequest, number: int) -> HttpResponse:
    """The second person does not agree."""
    words = (
        _("Refuse to accept this"),
        _("The decision stays owed until the same day. Whoever proposed it reads your reason."),
        _("Refused. The decision is owed as before."),
    )
    return _second(request, number, RefuseForm, words, refuse_acceptance)


def _second(
    request: HttpRequest,
    number: int,
    form_class: type[forms.Form],
    words: tuple[str, str, str],
    service: Callable[..., BreachDecision],
) -> HttpResponse:
    """One form, one service. ``words``: heading, lead, what is said afterwards."""
    person = person_of(request)
    found = get_object_or_404(breaches_for(person), number=number)
    allow(request, found.use_case, RIGHT)
    require_proposed(found)
    if why_not := authority_of(found, person)[1]:
        raise PermissionDenied(why_not)
    form = form_class(request.POST if request.method == "POST" else None)
    given = request.method == "POST" and form.is_valid()
    if given and attempt(form, lambda: service(breach=found, by=person, **form.cleaned_data)) is not None:
        messages.success(request, words[2])
        return redirect("gates:breach", number=found.number)
    context: dict[str, Any] = {"breach": found, "use_case": found.use_case, "form": form}
    context |= {"heading": words[0], "lead": words[1], "is_refusal": form_class is RefuseForm}
    return render(request, "gates/breach_second.html", context, status=answer(form))


def _filtered(
    rows: QuerySet[BreachDecision, BreachDecision], form: BreachFilter, user: User
) -> QuerySet[BreachDecision, BreachDecision]:
    if not form.is_valid():
        return rows
    wanted = form.cleaned_data
    rows = by_state(searched(rows, wanted["q"]), wanted["state"])
    for name in ("outcome", "tier"):
        if wanted[name]:
            rows = rows.filter(**{name: wanted[name]})
    return rows.filter(owed_by=user) if wanted["mine"] else rows
