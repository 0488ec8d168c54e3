"""The executive page: on the screen, on paper, as a file."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import for_user, require
from gates.executive import ACTION, VIEW, Report, executive_report, rows_of
from gates.packs.documents import moment, render_pdf
from gates.reports.executive import COLUMNS
from kernel.canonical import digest
from kernel.exports import export_rows
from kernel.htmx import render
from portfolio.models import BusinessUnit
from portfolio.views.common import person_of


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Everything on one page, of a unit or of all."""
    report = _report(request)
    query = request.GET.urlencode()
    units = for_user(BusinessUnit.objects.order_by("path"), person_of(request), VIEW)
    context = {
        "report": report,
        "units": units,
        "unit": request.GET.get("unit", ""),
        "query": f"?{query}" if query else "",
    }
    return render(request, "gates/executive.html", context)


@require_safe
@login_required
def pdf(request: HttpRequest) -> HttpResponse:
    """The same on one sheet of paper."""
    report = _report(request)
    answer = HttpResponse(render_pdf("executive", _words(report), at=report.at), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="executive-{report.at:%Y-%m-%d}.pdf"'
    return answer


@require_safe
@login_required
def csv(request: HttpRequest) -> HttpResponseBase:
    """Every number, now and a month ago."""
    form = "xlsx" if request.GET.get("format") == "xlsx" else "csv"
    return export_rows(form, "executive", COLUMNS, rows_of(_report(request)))


@require_safe
@login_required
def data(request: HttpRequest) -> JsonResponse:
    """The same as JSON."""
    return JsonResponse(_report(request).plain())


def _report(request: HttpRequest) -> Report:
    user = person_of(request)
    require(user, ACTION)
    unit = None
    if code := request.GET.get("unit"):
        unit = get_object_or_404(for_user(BusinessUnit.objects.all(), user, VIEW), code=code)
    return executive_report(user, unit)


def _words(report: Report) -> dict[str, Any]:
    """What the sheet sets."""
    plain = report.plain()
    return {
        "label": report.scope,
        "digest": digest({"sections": [_texts(section) for section in plain["sections"]]}),
        "tail": _("What one person may see, counted at %(at)s") % {"at": moment(report.at)},
        "title": _("Executive report"),
        "lead": f"{report.scope} · {moment(report.at)}",
        "total": _("%(count)d use cases; compared with %(day)s.")
        % {"count": report.total, "day": f"{report.before:%-d %b %Y}"},
        "heads": [_("now"), _("a month ago")],
        "sections": [
            {
                "title": section.title,
                "words": section.words,
                "lines": [
                    {
                        "label": line.label,
                        "now": _figure(line.now, line.unit),
                        "before": _figure(line.before, line.unit),
                        "tone": line.tone or "plain",
                    }
                    for line in section.lines
                ],
            }
            for section in report.sections
        ],
    }


def _texts(section: dict[str, Any]) -> dict[str, str]:
    """Floats have no canonical form: the digest is over what is printed."""
    return {f"{section['key']}.{line['key']}": f"{line['now']} {line['before']}" for line in section["lines"]}


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    shown = f"{value:,.1f}" if value % 1 else f"{value:,.0f}"
    return f"{shown} {unit}".strip() if unit != "%" else f"{shown}%"
