"""Dashboards: the list, one of them to look at, its widgets one by one, its files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.access import for_user
from accounts.models import User
from governance.models import ModelVersion
from kernel.errors import Invalid
from kernel.exports import export_rows
from kernel.htmx import render
from kernel.tables import Column, TableState
from monitoring.boards import Board, about, cells, made_ready, stored
from monitoring.forms.dashboards import DashboardFilter
from monitoring.forms.spans import SpanForm
from monitoring.models import Dashboard
from monitoring.selectors.dashboards import dashboards_for, deleted_by, may_edit
from monitoring.services.dashboards import definition_of
from monitoring.spans import Span
from monitoring.views.common import VIEW
from monitoring.views.overview import section_tabs
from monitoring.widget import PORTFOLIO, UNIT, USE_CASE, VERSION, Scope
from portfolio.models import BusinessUnit
from portfolio.views.common import find_use_case, person_of

COLUMNS: Sequence[Column] = (
    Column("name", gettext_lazy("Dashboard"), "name"),
    Column("about", gettext_lazy("About"), ("use_case__key", "unit__name"), value=about),
    Column("owner", gettext_lazy("Owner"), "owner__full_name", value=lambda row: row.owner.full_name),
    Column("sharing", gettext_lazy("Who sees it"), "sharing", value=lambda row: row.get_sharing_display()),
    Column("widgets", gettext_lazy("Widgets"), numeric=True, value=lambda row: len(row.layout)),
    Column("updated", gettext_lazy("Changed"), "updated_at", largest_first=True, value=lambda row: row.updated_at),
)
MOST_DELETED = 10


@require_safe
@login_required
def index(request: HttpRequest) -> HttpResponseBase:
    """One's own, those that others share, and the ready-made ones."""
    user = person_of(request)
    table: TableState[Dashboard] = TableState.from_request(request, columns=COLUMNS, default_sort="-updated")
    form = DashboardFilter(request.GET)
    rows: QuerySet[Dashboard] = form.apply(dashboards_for(user), user)
    if table.export_format:
        return export_rows(table.export_format, "dashboards", table.columns, table.order(rows).iterator(1000))
    context = {
        "table": table.paginate(rows),
        "form": form,
        "chips": form.chips(request),
        "tabs": section_tabs("dashboards"),
        "deleted": deleted_by(user)[:MOST_DELETED],
        "units": for_user(BusinessUnit.objects.filter(parent__isnull=False).order_by("path"), user, VIEW)[:8],
    }
    return render(request, "monitoring/dashboards/index.html", context, partial="table")


@require_safe
@login_required
def page(request: HttpRequest, **where: Any) -> HttpResponse:
    """A dashboard over a range of time; ``?wall=1`` for a screen on the wall."""
    board = find_board(request, **where)
    user = person_of(request)
    form = SpanForm(request.GET, usual=board.range)
    context = {
        "board": board,
        "dashboard": board.dashboard,
        "cells": cells(board, user, form.span),
        "form": form,
        "span": form.span,
        "wall": request.GET.get("wall") == "1",
        "may_edit": board.dashboard is not None and may_edit(user, board.dashboard),
        "versions": _versions(board, user),
        "picture_lead": _picture_lead(board, form.span),
        "urls": {name: board.url(name) for name in ("page", "definition", "csv", "copy")},
    }
    return render(request, "monitoring/dashboards/page.html", context, partial="grid")


def _picture_lead(board: Board, span: Span) -> str:
    """What a picture says above the widgets: about what, from when to when, as of when."""
    now = timezone.now()
    start = f"{span.start:%Y-%m-%d %H:%M}" if span.start else _("the first value")
    told = {
        "scope": board.scope.name,
        "range": f"{start} – {min(span.end, now):%Y-%m-%d %H:%M} UTC",
        "now": f"{now:%Y-%m-%d %H:%M} UTC",
    }
    return _("%(scope)s · %(range)s · as of %(now)s") % told


@require_safe
@login_required
def widget(request: HttpRequest, key: str, **where: Any) -> HttpResponse:
    """One widget alone: what reading it again swaps."""
    board = find_board(request, **where)
    (cell,) = cells(board, person_of(request), _span(request, board), only=key)
    return render(request, "monitoring/dashboards/cell.html", {"cell": cell, "board": board})


@require_safe
@login_required
def widget_data(request: HttpRequest, key: str, **where: Any) -> JsonResponse:
    """The numbers of one widget; also the "Data" link under it."""
    board = find_board(request, **where)
    (cell,) = cells(board, person_of(request), _span(request, board), only=key, all_data=True)
    if cell.data is None:
        raise Invalid(cell.error)
    return JsonResponse(cell.data)


@require_safe
@login_required
def widget_csv(request: HttpRequest, key: str, **where: Any) -> HttpResponseBase:
    """The numbers of one widget as a file."""
    board = find_board(request, **where)
    (cell,) = cells(board, person_of(request), _span(request, board), only=key, all_data=True)
    if cell.error:
        raise Invalid(cell.error)
    columns = [Column(str(place), name, value=_at(place)) for place, name in enumerate(cell.columns)]
    return export_rows(_format(request), cell.heading, columns, cell.rows)


@require_safe
@login_required
def csv(request: HttpRequest, **where: Any) -> HttpResponseBase:
    """Every number of the dashboard in one file: a line for each."""
    board = find_board(request, **where)
    found = cells(board, person_of(request), _span(request, board), all_data=True)
    columns = [
        Column("widget", _("Widget")),
        Column("row", _("Row"), numeric=True),
        Column("column", _("Column")),
        Column("value", _("Value")),
    ]
    rows = (
        {"widget": cell.heading, "row": number, "column": name, "value": value}
        for cell in found
        for number, row in enumerate(cell.rows, start=1)
        for name, value in zip(cell.columns, row, strict=True)
    )
    return export_rows(_format(request), board.name, columns, _capped(rows))


@require_safe
@login_required
def definition(request: HttpRequest, **where: Any) -> HttpResponse:
    """What it shows, as a file that can be read in again."""
    board = find_board(request, **where)
    body = definition_of(name=board.name, description=board.description, range=board.range, layout=board.layout)
    answer = JsonResponse(body, json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = 'attachment; filename="dashboard.json"'
    return answer


def find_board(request: HttpRequest, pk: UUID | None = None, kind: str = "", ref: str = "") -> Board:
    """A dashboard, or the ready-made one of a scope; 404 for whoever may not know that it is there."""
    user = person_of(request)
    if pk is not None:
        return stored(get_object_or_404(dashboards_for(user), pk=pk))
    return made_ready(_scope(request, kind, ref), user)


def _versions(board: Board, user: User) -> QuerySet[ModelVersion] | None:
    """Versions of the use case's models that have a ready-made dashboard of their own, because they are measured."""
    if board.dashboard is not None or board.scope.kind != USE_CASE:
        return None
    rows = board.scope.rows(ModelVersion.objects.filter(series__isnull=False), user)
    return rows.select_related("model").distinct().order_by("-number")


def _scope(request: HttpRequest, kind: str, ref: str) -> Scope:
    user = person_of(request)
    if kind == PORTFOLIO and ref == "all":
        return Scope()
    if kind == UNIT:
        return Scope(unit=get_object_or_404(for_user(BusinessUnit.objects.all(), user, VIEW), code=ref))
    if kind == USE_CASE:
        return Scope(use_case=find_use_case(request, ref))
    if kind == VERSION:
        try:
            key = UUID(ref)
        except ValueError:
            raise Http404 from None
        rows = ModelVersion.objects.select_related("model__use_case__unit")
        version = get_object_or_404(for_user(rows, user, VIEW), pk=key)
        return Scope(use_case=version.model.use_case, version=version)
    raise Http404


def _span(request: HttpRequest, board: Board) -> Span:
    form = SpanForm(request.GET, usual=board.range)
    if not form.is_valid():
        errors = {name: [str(each) for each in said] for name, said in form.errors.items()}
        raise Invalid(" ".join(said for each in errors.values() for said in each), errors=errors)
    return form.span


def _at(place: int) -> Any:
    return lambda row: row[place]


def _format(request: HttpRequest) -> str:
    return "xlsx" if request.GET.get("format") == "xlsx" else "csv"


def _capped(rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """At most what a spreadsheet holds."""
    for number, row in enumerate(rows):
        if number == 1_000_000:
            return
        yield row


def dashboard_url(dashboard: Dashboard) -> str:
    return reverse("monitoring:dashboard_page", args=[dashboard.pk])
