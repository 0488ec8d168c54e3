"""Giving a role to a person, and ending one."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import services
from accounts.access import require
from accounts.forms import AssignRoleForm, ReasonForm, carry, role_help
from accounts.selectors import visible_assignments, visible_people, with_scope_names
from accounts.services.roles import scope_of
from accounts.views.shared import user_of
from kernel.errors import DomainError
from kernel.htmx import render


@login_required
@require_http_methods(["GET", "POST"])
def role_assign(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Give a person a role on a unit or a use case."""
    user = user_of(request)
    person = get_object_or_404(visible_people(user), pk=pk)
    require(user, "role.assign")
    form = AssignRoleForm(request.POST if request.method == "POST" else None, by=user, user=person)
    if request.method == "POST" and form.is_valid():
        try:
            assignment = services.assign_role(by=user, **form.grant())
        except DomainError as error:
            carry(form, error)
        else:
            told = {"name": person, "role": assignment.role_name}
            messages.success(request, _("%(name)s now holds the role %(role)s.") % told)
            return redirect("accounts:person", pk=person.pk)
    context = {"form": form, "person": person, "roles": role_help()}
    return render(request, "accounts/role_assign.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def role_end(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End a role, after saying what that means."""
    user = user_of(request)
    rows = visible_assignments(user).select_related("user")
    assignment = get_object_or_404(with_scope_names(rows), pk=pk)
    require(user, "role.assign", scope_of(assignment))
    form = ReasonForm(request.POST if request.method == "POST" else None, required=False)
    if request.method == "POST" and form.is_valid():
        services.end_role(assignment=assignment, by=user, reason=form.cleaned_data["reason"])
        told = {"name": assignment.user, "role": assignment.role_name}
        messages.success(request, _("%(name)s no longer holds the role %(role)s.") % told)
        return redirect("accounts:person", pk=assignment.user_id)
    context = {"form": form, "assignment": assignment}
    return render(request, "accounts/role_end.html", context, status=422 if form.errors else 200)
