"""Giving and ending roles on a use case."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import RoleAssignment, User
from accounts.services import assign_role, end_role
from kernel.htmx import render
from portfolio.forms.people import RoleForm
from portfolio.forms.use_cases import ReasonForm
from portfolio.views.common import allow, answer, attempt, find_use_case, person_of, posted
from portfolio.views.use_cases import panel_url

SUGGESTED = 300


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def assign(request: HttpRequest, key: str) -> HttpResponse:
    """Give somebody a role here."""
    use_case = find_use_case(request, key)
    allow(request, use_case, "role.assign")
    form = RoleForm(posted(request), initial={"role": request.GET.get("role", "")})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        assignment = attempt(
            form,
            lambda: assign_role(
                user=given["person"], role=given["role"], on=use_case, by=person_of(request), reason=given["reason"]
            ),
        )
        if assignment is not None:
            said = _("%(person)s is now %(role)s.")
            messages.success(request, said % {"person": assignment.user, "role": assignment.role_name.lower()})
            return redirect(panel_url(use_case, "people"))
    people = User.objects.filter(is_active=True, kind=User.Kind.PERSON).order_by("full_name")
    context = {
        "form": form,
        "use_case": use_case,
        "people": people[:SUGGESTED],
        "cancel_url": panel_url(use_case, "people"),
    }
    return render(request, "portfolio/assign.html", context, status=answer(form))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def end(request: HttpRequest, key: str, assignment: UUID) -> HttpResponse:
    """End a role that is held here; its history stays."""
    use_case = find_use_case(request, key)
    allow(request, use_case, "role.assign")
    here = {"scope_kind": RoleAssignment.Scope.USE_CASE, "scope_id": use_case.pk}
    held = get_object_or_404(RoleAssignment.objects.select_related("user"), pk=assignment, **here)
    form = ReasonForm(posted(request), required=False)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        if attempt(form, lambda: end_role(assignment=held, by=person_of(request), reason=reason)) is not None:
            said = _("%(person)s is no longer %(role)s.") % {"person": held.user, "role": held.role_name.lower()}
            messages.success(request, said)
            return redirect(panel_url(use_case, "people"))
    context = {
        "form": form,
        "use_case": use_case,
        "cancel_url": panel_url(use_case, "people"),
        "title": _("End the role of %(person)s as %(role)s") % {"person": held.user, "role": held.role_name.lower()},
        "lead": _("The role ends now. What was done in it stays valid and stays in the history."),
        "submit": _("End this role"),
        "danger": True,
    }
    return render(request, "portfolio/form.html", context, status=answer(form))
