"""One's own account: name, roles, ways to sign in, API tokens."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts import services
from accounts.forms import ProfileForm, ReasonForm, TokenForm, carry
from accounts.models import User
from accounts.selectors import visible_people, visible_tokens
from accounts.services.tokens import require_may_manage
from accounts.tabs import settings_tabs
from accounts.views.shared import current_roles, scope_url, user_of
from kernel.context import address
from kernel.errors import DomainError
from kernel.htmx import render

SIGN_IN = (
    ("account_change_password", "lock"),
    ("account_email", "mail"),
    ("mfa_index", "fingerprint"),
    ("socialaccount_connections", "link"),
)


@login_required
@require_http_methods(["GET", "POST"])
def own_settings(request: HttpRequest) -> HttpResponse:
    """Who one is here, which roles one holds, how one signs in."""
    user = user_of(request)
    form = ProfileForm(
        request.POST if request.method == "POST" else None,
        initial={"full_name": user.full_name, "job_title": user.job_title},
    )
    if request.method == "POST" and form.is_valid():
        services.edit_person(user=user, by=user, **form.cleaned_data)
        messages.success(request, _("Your name is saved."))
        return redirect("accounts:settings")
    roles = current_roles([user], seen_by=user).get(user.pk, [])
    for row in roles:
        row.url = scope_url(row)  # type: ignore[attr-defined]  # for the template
    context = {
        "form": form,
        "roles": roles,
        "sign_in": _sign_in_links(),
        "tabs": settings_tabs(user, "accounts:settings"),
    }
    return render(request, "accounts/settings.html", context, status=422 if form.errors else 200)


@login_required
@require_GET
def tokens(request: HttpRequest) -> HttpResponse:
    """One's own API tokens, those that still work first."""
    user = user_of(request)
    rows = list(visible_tokens(user).filter(user=user))
    context = {
        "usable": [row for row in rows if row.is_usable()],
        "over": [row for row in rows if not row.is_usable()],
        "docs_url": address("api-docs"),
        "tabs": settings_tabs(user, "accounts:tokens"),
    }
    return render(request, "accounts/tokens.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def token_new(request: HttpRequest, pk: UUID | None = None) -> HttpResponse:
    """Make a token, for oneself or for a service account; its key is on the answer and nowhere else."""
    user = user_of(request)
    account: User = user if pk is None else get_object_or_404(visible_people(user), pk=pk)
    require_may_manage(user, account)
    form = TokenForm(request.POST if request.method == "POST" else None, account=account)
    context = {"form": form, "account": account, "own": account.pk == user.pk, "base_url": _base_url(request)}
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            token, key = services.issue_token(
                user=account, name=said["name"], scopes=said["scopes"], expires_at=form.expires_at, by=user
            )
        except DomainError as error:
            carry(form, error)
        else:
            return render(request, "accounts/token_made.html", {**context, "token": token, "key": key}, status=201)
    return render(request, "accounts/token_new.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def token_revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End a token at once."""
    user = user_of(request)
    token = get_object_or_404(visible_tokens(user), pk=pk)
    own = token.user_id == user.pk
    if request.method == "POST":
        services.revoke_token(token=token, by=user)
        messages.success(request, _("The token %(name)s no longer works.") % {"name": token.name})
        return redirect("accounts:tokens") if own else redirect("accounts:person", pk=token.user_id)
    return render(request, "accounts/token_revoke.html", {"form": ReasonForm(), "token": token, "own": own})


def _sign_in_links() -> list[dict[str, str]]:
    words = {
        "account_change_password": (_("Password"), _("Change it, or set one.")),
        "account_email": (_("E-mail addresses"), _("Where letters go, and what you sign in with.")),
        "mfa_index": (_("Second step"), _("An authenticator app, passkeys, recovery codes.")),
        "socialaccount_connections": (_("Connected accounts"), _("Single sign-on of your organisation.")),
    }
    return [
        {"label": words[name][0], "help": words[name][1], "icon": icon, "url": url}
        for name, icon in SIGN_IN
        if (url := address(name))
    ]


def _base_url(request: HttpRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")
