"""The list of reports, and one report: filtered, read, exported."""

from __future__ import annotations

from datetime import date
from itertools import islice
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import can, require
from accounts.models import User
from kernel.exports import EXPORT_FORMATS, export_rows, plain
from kernel.htmx import render
from kernel.tables import Column
from portfolio.report import Report, reports
from portfolio.views.common import person_of
from portfolio.views.listing import Listing

PREVIEW = 50


@require_safe
@login_required
def index(request: HttpRequest) -> HttpResponse:
    """What there is to read."""
    user = person_of(request)
    shown = [
        report for report in _ordered() if report.shown_to(user) and (not report.action or can(user, report.action))
    ]
    return render(request, "portfolio/reports.html", {"reports": shown})


@require_safe
@login_required
def report(request: HttpRequest, key: str) -> HttpResponseBase:
    """The first rows on the page, all of them as a file."""
    user = person_of(request)
    found = _find(key, user)
    if found.action:
        require(user, found.action)
    if found.page:
        return redirect(f"{found.url}?{request.GET.urlencode()}")
    listing = Listing(request)
    use_cases = listing.use_cases  # its form is cleaned now: what stands in it from here on narrows rows, not use cases
    for choice in found.choices():
        values = [("", choice.everything), *choice.values]
        listing.filter.form.fields[choice.name] = forms.ChoiceField(label=choice.label, choices=values, required=False)
    columns = found.columns()
    rows = found.rows(request, use_cases)
    asked = request.GET.get("export", "")
    if asked in EXPORT_FORMATS:
        return export_rows(asked, found.key, columns, rows)
    preview = list(islice(rows, PREVIEW + 1))
    context = {
        "report": found,
        "columns": columns,
        "rows": [[_cell(column, row) for column in columns] for row in preview[:PREVIEW]],
        "more": len(preview) > PREVIEW,
        "preview": PREVIEW,
        "filter_form": listing.filter.form,
        "chips": listing.chips(),
        "clear_url": listing.clear_url(),
        "csv_url": listing.url({"export": ["csv"]}),
        "xlsx_url": listing.url({"export": ["xlsx"]}),
    }
    return render(request, "portfolio/report.html", context, partial="table")


def report_url(key: str) -> str:
    return reverse("portfolio:report", args=[key])


def _ordered() -> list[Report]:
    return [kind() for kind in sorted(reports, key=lambda each: (each.order, each.key))]


def _find(key: str, user: User) -> Report:
    if key not in reports:
        raise Http404(_("There is no such report."))
    found = reports.get(key)()
    if not found.shown_to(user):
        raise Http404(_("There is no such report."))
    return found


def _cell(column: Column, row: Any) -> dict[str, Any]:
    if column.value is not None:
        value = column.value(row)
    else:
        value = row.get(column.key) if isinstance(row, dict) else getattr(row, column.key, None)
    return {"text": _text(value), "numeric": column.numeric, "short": column.key == "key" or isinstance(value, date)}


def _text(value: object) -> str:
    """A value as a person reads it; files hold it exactly."""
    if isinstance(value, date):
        return date_format(value, "j M Y")
    return plain(value)
