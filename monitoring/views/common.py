"""What the pages of monitoring share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import for_user
from kernel.errors import DomainError
from kernel.htmx import asks_for_partial, render
from monitoring.models import Alert, Rule, Series, Source
from portfolio.models import UseCase
from portfolio.views.common import answer, attempt, person_of

T = TypeVar("T")
M = TypeVar("M", bound=Model)
VIEW, CONFIGURE = "use_case.view", "monitor.configure"


def find_series(request: HttpRequest, pk: int) -> Series:
    return find(request, Series.objects.select_related("use_case__unit", "version", "source"), pk)


def find_rule(request: HttpRequest, pk: UUID) -> Rule:
    return find(request, Rule.objects.select_related("series__use_case__unit", "series__version"), pk)


def find_alert(request: HttpRequest, pk: UUID) -> Alert:
    related = (
        "series__use_case__unit",
        "rule",
        "acknowledged_by",
        "decided_by",
        "assigned_to",
        "snoozed_by",
        "resolved_by",
        "incident",
        "response_unit",
    )
    return find(request, Alert.objects.select_related(*related), pk)


def find_source(request: HttpRequest, pk: UUID) -> Source:
    return find(request, Source.objects.select_related("use_case__unit", "created_by"), pk)


def panel_url(use_case: UseCase) -> str:
    """The use case's tab "Monitoring"."""
    return reverse("portfolio:use_case_panel", args=[use_case.key, "monitoring"])


def form_page(
    request: HttpRequest,
    form: Any,
    call: Callable[[], T],
    *,
    done: Callable[[T], str],
    said: str,
    use_case: UseCase,
    **shown: Any,
) -> HttpResponse:
    """Save a valid form and go where ``done`` says, or show it with what is wrong.

    An HTMX request gets the form alone, to stand within the page it was asked from.
    """
    if request.method == "POST" and form.is_valid():
        result = attempt(form, call)
        if result is not None:
            messages.success(request, said)
            return go(request, done(result))
    context = {"form": form, "use_case": use_case, "cancel_url": panel_url(use_case), **shown}
    return render(request, "monitoring/form.html", context, partial="form", status=answer(form))


def tried(request: HttpRequest, call: Callable[[], object], said: str) -> None:
    """Do it and say so, or say why not; the page that follows shows either."""
    try:
        call()
        messages.success(request, said)
    except DomainError as error:
        messages.error(request, f"{error.message} {error.hint}".strip())


def go(request: HttpRequest, url: str) -> HttpResponse:
    """A redirect that HTMX follows as a whole page too."""
    return HttpResponseClientRedirect(url) if asks_for_partial(request) else redirect(url)


def find(request: HttpRequest, rows: QuerySet[M], pk: object) -> M:
    """The row, or 404 for whoever may not know that it exists."""
    return get_object_or_404(for_user(rows, person_of(request), VIEW), pk=pk)
