"""One's own notices: the list, reading them, choosing what also comes by e-mail."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import User
from accounts.tabs import settings_tabs
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows
from notify.forms import UNREAD, EmailForm, NoticeFilter
from notify.models import Notice
from notify.selectors import about, notices_of, unread_count
from notify.services import choose_channels, mark_read, wanted_topics
from notify.topics import topic_of

COLUMNS = (
    Column("title", gettext_lazy("Notice"), "title"),
    Column("topic", gettext_lazy("About"), value=lambda notice: str(topic_of(notice.kind).label)),
    Column("created_at", gettext_lazy("When"), "created_at", largest_first=True),
    Column("read_at", gettext_lazy("Read"), "read_at", largest_first=True),
)


def user_of(request: HttpRequest) -> User:
    return cast(User, request.user)


@login_required
@require_GET
def notices(request: HttpRequest) -> HttpResponseBase:
    """What one was told, newest first."""
    user = user_of(request)
    form = NoticeFilter(request.GET)
    rows = _filtered(notices_of(user), form.cleaned_data)
    table: TableState[Notice] = TableState.from_request(
        request, columns=COLUMNS, default_sort="-created_at", page_size=25
    )
    if table.export_format:
        return export_rows(table.export_format, "notices", table.columns, table.order(rows).iterator())
    table.paginate(rows)
    for notice in table:
        notice.topic = topic_of(notice.kind)  # type: ignore[attr-defined]  # for the template
    filtered = any(form.cleaned_data.get(name) for name in ("q", "topic", "show"))
    context = {"table": table, "form": form, "unread": unread_count(user), "filtered": filtered}
    return render(request, "notify/notices.html", context, partial="table")


@login_required
@require_http_methods(["GET", "POST"])
def open_notice(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Mark a notice as read and go to what it is about."""
    user = user_of(request)
    notice = get_object_or_404(notices_of(user), pk=pk)
    mark_read(user=user, notices=[notice.pk])
    inside = url_has_allowed_host_and_scheme(notice.url, {request.get_host()}, require_https=request.is_secure())
    return redirect(notice.url if notice.url and inside else "notify:notices")


@login_required
@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Mark the chosen notices as read, or all of them."""
    chosen = None if request.POST.get("action") == "all" else _uuids(request.POST.getlist("chosen"))
    count = mark_read(user=user_of(request), notices=chosen)
    told = ngettext("%(count)d notice is marked as read.", "%(count)d notices are marked as read.", count)
    messages.success(request, told % {"count": count})
    return redirect("notify:notices")


@login_required
@require_GET
def bell(request: HttpRequest) -> HttpResponse:
    """The bell with its number, for the page that is already open."""
    return render(request, "notify/bell.html", {"notice_count": unread_count(user_of(request))})


@login_required
@require_http_methods(["GET", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """Choose what also comes by e-mail."""
    user = user_of(request)
    data = request.POST if request.method == "POST" else None
    form = EmailForm(data, initial={"topics": sorted(wanted_topics(user, "email"))})
    if data is not None and form.is_valid():
        choose_channels(user=user, channel="email", topics=form.cleaned_data["topics"])
        messages.success(request, _("Your choice is saved."))
        return redirect("notify:preferences")
    context: dict[str, Any] = {"form": form, "tabs": settings_tabs(user, "notify:preferences")}
    return render(request, "notify/preferences.html", context, status=422 if form.errors else 200)


def _filtered(rows: QuerySet[Notice], said: dict[str, str]) -> QuerySet[Notice]:
    for word in said.get("q", "").split():
        rows = rows.filter(Q(title__icontains=word) | Q(body__icontains=word))
    if said.get("topic"):
        rows = about(rows, said["topic"])
    return rows.filter(read_at__isnull=True) if said.get("show") == UNREAD else rows


def _uuids(given: list[str]) -> list[UUID]:
    """What of it is an identifier; the rest names nothing."""
    found = []
    for text in given:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
