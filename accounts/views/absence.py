"""Delegations and absences: who stands in for me, for whom I stand in, when I am away."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import services
from accounts.forms import carry
from accounts.forms_absence import AbsenceForm, DelegateForm, roles_to_give
from accounts.models import Absence, Delegation
from accounts.tabs import settings_tabs
from accounts.views.shared import user_of
from kernel.errors import DomainError
from kernel.htmx import render

SHOWN = 50


@login_required
@require_GET
def absence(request: HttpRequest) -> HttpResponse:
    """What holds now, what is ahead, and what was."""
    user, now = user_of(request), timezone.now()
    rows = Delegation.objects.select_related("giver", "stand_in").filter(Q(giver=user) | Q(stand_in=user))
    mine = list(rows.order_by("-starts_at")[:SHOWN])
    absences = list(user.absences.select_related("stand_in").order_by("-starts_on")[:SHOWN])
    context = {
        "given": [row for row in mine if not row.is_over and row.giver_id == user.pk],
        "taken": [row for row in mine if not row.is_over and row.stand_in_id == user.pk],
        "away": [row for row in absences if not row.is_over],
        "past": [row for row in mine if row.is_over],
        "past_absences": [row for row in absences if row.is_over],
        "may_delegate": bool(roles_to_give(user)),
        "now": now,
        "tabs": settings_tabs(user, "accounts:absence"),
    }
    return render(request, "accounts/absence.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def delegation_new(request: HttpRequest) -> HttpResponse:
    """Have somebody stand in for one of my roles."""
    user = user_of(request)
    form = DelegateForm(request.POST if request.method == "POST" else None, by=user)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.delegate(giver=user, by=user, **form.cleaned_data)
        except DomainError as error:
            carry(form, error)
        else:
            said = {"name": made.stand_in, "role": made.role_name}
            messages.success(request, _("%(name)s stands in for you as %(role)s. Both of you are told.") % said)
            return redirect("accounts:absence")
    return render(request, "accounts/delegation_new.html", {"form": form}, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def absence_new(request: HttpRequest) -> HttpResponse:
    """Say when I am away, and have somebody stand in in the same step."""
    user = user_of(request)
    form = AbsenceForm(request.POST if request.method == "POST" else None, by=user)
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        roles = services.shared_roles(user, said["stand_in"]) if said.pop("delegate") else []
        try:
            services.record_absence(person=user, by=user, roles=roles, **said)
        except DomainError as error:
            carry(form, error)
        else:
            messages.success(request, _("Your absence is shown wherever you are waited for."))
            return redirect("accounts:absence")
    return render(request, "accounts/absence_new.html", {"form": form}, status=422 if form.errors else 200)


@login_required
@require_POST
def delegation_end(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take it back, or hand it back."""
    user = user_of(request)
    row = get_object_or_404(Delegation.objects.filter(Q(giver=user) | Q(stand_in=user)), pk=pk)
    services.end_delegation(delegation=row, by=user)
    messages.success(request, _("The delegation has ended. Both of you are told."))
    return redirect("accounts:absence")


@login_required
@require_POST
def absence_cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """I am not away after all, or back early."""
    user = user_of(request)
    row = get_object_or_404(Absence.objects.select_related("person").filter(person=user), pk=pk)
    services.cancel_absence(absence=row, by=user)
    messages.success(request, _("The absence has ended, and with it what was delegated for it."))
    return redirect("accounts:absence")
