"""People: the list, one person, opening and closing accounts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import services
from accounts.access import can, can_everywhere, require_everywhere
from accounts.forms import AssignRoleForm, ManagerForm, PeopleFilter, PersonForm, ReasonForm, carry
from accounts.models import User
from accounts.selectors import roles_of, visible_people, visible_tokens
from accounts.services.tokens import may_manage
from accounts.tabs import settings_tabs
from accounts.views.shared import current_roles, scope_url, user_of
from kernel.errors import DomainError
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows

NAME = Column("full_name", gettext_lazy("Name"), ("full_name", "email"))
TITLE = Column("job_title", gettext_lazy("Job title"), "job_title")
EMAIL = Column("email", gettext_lazy("E-mail"), "email")
SEEN = Column("last_login", gettext_lazy("Last signed in"), "last_login", largest_first=True)


@login_required
@require_GET
def people(request: HttpRequest) -> HttpResponseBase:
    """Everybody one may know of, with the roles they hold."""
    user = user_of(request)
    manages = can_everywhere(user, "user.manage")
    form = PeopleFilter(request.GET, user=user)
    rows = form.apply(visible_people(user).filter(kind=User.Kind.PERSON))
    roles: dict[UUID, list[Any]] = {}
    held = Column("roles", gettext_lazy("Roles"), value=lambda person: _spelled(roles.get(person.pk, [])))
    columns = (NAME, held, TITLE, EMAIL, SEEN) if manages else (NAME, held, TITLE)
    table: TableState[User] = TableState.from_request(request, columns=columns, default_sort="full_name")
    if table.export_format:
        roles.update(current_roles(rows, seen_by=user))
        return export_rows(table.export_format, "people", table.columns, table.order(rows).iterator())
    table.paginate(rows)
    roles.update(current_roles(table, seen_by=user))
    context = {
        "table": table,
        "form": form,
        "chips": form.chips(),
        "extra": {"roles": roles, "manages": manages},
        "may_create": manages,
        "tabs": settings_tabs(user, "accounts:people"),
    }
    return render(request, "accounts/people.html", context, partial="table")


@login_required
@require_GET
def person(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One account: the roles it holds and held, and what can be done about it."""
    user = user_of(request)
    found = get_object_or_404(visible_people(user).select_related("owner", "manager"), pk=pk)
    return render(request, "accounts/person.html", _about(found, user))


@login_required
@require_http_methods(["GET", "POST"])
def manager(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say whom somebody reports to."""
    user = user_of(request)
    people = visible_people(user).filter(kind=User.Kind.PERSON).select_related("manager")
    found = get_object_or_404(people, pk=pk)
    require_everywhere(user, "user.manage")
    form = ManagerForm(request.POST if request.method == "POST" else None, by=user, user=found)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_manager(user=found, manager=form.cleaned_data["manager"], by=user)
        except DomainError as error:
            carry(form, error)
        else:
            messages.success(request, _("Saved whom %(name)s reports to.") % {"name": found})
            return redirect("accounts:person", pk=found.pk)
    return render(request, "accounts/manager.html", {"form": form, "person": found}, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def person_new(request: HttpRequest) -> HttpResponse:
    """Open an account for a person."""
    user = user_of(request)
    require_everywhere(user, "user.manage")
    form = PersonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_person(by=user, **form.cleaned_data)
        except DomainError as error:
            carry(form, error)
        else:
            messages.success(request, _("%(name)s has an account now. Give them a role.") % {"name": made})
            return redirect("accounts:person", pk=made.pk)
    return render(request, "accounts/person_new.html", {"form": form}, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def deactivate(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Close an account, with a reason."""
    user = user_of(request)
    found = get_object_or_404(visible_people(user), pk=pk)
    require_everywhere(user, "user.manage")
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            services.deactivate(user=found, by=user, reason=form.cleaned_data["reason"])
        except DomainError as error:
            carry(form, error)
        else:
            messages.success(request, _("The account of %(name)s is closed.") % {"name": found})
            return redirect("accounts:person", pk=found.pk)
    context = {"form": form, "person": found, "held": current_roles([found], seen_by=user).get(found.pk, [])}
    return render(request, "accounts/deactivate.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def reactivate(request: HttpRequest, pk: UUID) -> HttpResponse:
    user = user_of(request)
    found = get_object_or_404(visible_people(user), pk=pk)
    services.reactivate(user=found, by=user)
    messages.success(request, _("The account of %(name)s is open again, without roles.") % {"name": found})
    return redirect("accounts:person", pk=found.pk)


def _about(found: User, user: User) -> dict[str, Any]:
    rows = list(roles_of(found, seen_by=user))
    for row in rows:
        row.url = scope_url(row)  # type: ignore[attr-defined]  # for the template
    oneself = found.pk == user.pk
    may_assign = can(user, "role.assign") and not oneself and found.is_active
    manages = can_everywhere(user, "user.manage")
    has_tokens = not found.is_person and may_manage(user, found)
    return {
        "person": found,
        "current": [row for row in rows if row.is_current],
        "ended": [row for row in rows if not row.is_current],
        "oneself": oneself,
        "may_assign": may_assign,
        "may_close": manages and not oneself,
        "shows_email": found.is_person and (manages or oneself),
        "form": AssignRoleForm(by=user, user=found) if may_assign else None,
        "shows_tokens": has_tokens,
        "tokens": list(visible_tokens(user).filter(user=found)) if has_tokens else [],
        "tabs": settings_tabs(user, "accounts:people" if found.is_person else "accounts:service_accounts"),
    }


def _spelled(rows: list[Any]) -> list[str]:
    return [f"{row.role_name}: {row.scope_name}" for row in rows]
