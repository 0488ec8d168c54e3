"""Service accounts: the machines that send, and who answers for each."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from accounts import services
from accounts.access import can, can_everywhere
from accounts.forms import ServiceAccountForm, carry
from accounts.models import User
from accounts.selectors import visible_people
from accounts.tabs import settings_tabs
from accounts.views.shared import current_roles, user_of
from kernel.errors import DomainError
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows

COLUMNS = (
    Column("full_name", gettext_lazy("Name"), "full_name"),
    Column("owner", gettext_lazy("Answers for it"), "owner__full_name"),
    Column("roles", gettext_lazy("Sends for"), value=lambda row: ""),
    Column("usable_tokens", gettext_lazy("Tokens"), "usable_tokens", numeric=True),
    Column("last_used", gettext_lazy("Last used"), "last_used", largest_first=True),
)


@login_required
@require_GET
def service_accounts(request: HttpRequest) -> HttpResponseBase:
    """Every machine that one may know of."""
    user = user_of(request)
    rows = _with_tokens(visible_people(user).filter(kind=User.Kind.SERVICE).select_related("owner"))
    table: TableState[User] = TableState.from_request(request, columns=COLUMNS, default_sort="full_name")
    if table.export_format:
        columns = [column for column in COLUMNS if column.key != "roles"]
        return export_rows(table.export_format, "service-accounts", columns, table.order(rows).iterator())
    table.paginate(rows)
    context = {
        "table": table,
        "extra": {"roles": current_roles(table, seen_by=user)},
        "may_create": _may_create(user),
        "tabs": settings_tabs(user, "accounts:service_accounts"),
    }
    return render(request, "accounts/service_accounts.html", context, partial="table")


@login_required
@require_http_methods(["GET", "POST"])
def service_account_new(request: HttpRequest) -> HttpResponse:
    """Open an account for a machine; whoever does answers for it."""
    user = user_of(request)
    if not _may_create(user):
        raise PermissionDenied(_("Service accounts are made by administrators and technical leads."))
    form = ServiceAccountForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_service_account(name=form.cleaned_data["name"], owner=user, by=user)
        except DomainError as error:
            carry(form, error)
        else:
            messages.success(request, _("%(name)s has an account. Give it a role, then a token.") % {"name": made})
            return redirect("accounts:person", pk=made.pk)
    return render(request, "accounts/service_account_new.html", {"form": form}, status=422 if form.errors else 200)


def _may_create(user: User) -> bool:
    return can_everywhere(user, "user.manage") or can(user, "token.manage")


def _with_tokens(rows: QuerySet[User]) -> QuerySet[User]:
    usable = Q(api_tokens__revoked_at__isnull=True, api_tokens__expires_at__gt=timezone.now())
    return rows.annotate(usable_tokens=Count("api_tokens", filter=usable), last_used=Max("api_tokens__last_used_at"))
