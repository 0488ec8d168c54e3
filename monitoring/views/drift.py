"""Drift of a use case: its reports over time, one report with every feature ranked, one feature with its histograms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.access import actions_on, for_user
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows
from monitoring.comparing import NOT_COMPARED
from monitoring.drift_wording import reason_words, role_label, rule_words, shown_statistics, verdict_words
from monitoring.forms.profiles import FeatureFilterForm, ReportFilterForm
from monitoring.models import DataProfile, DriftReport, DriftResult
from monitoring.reporting import document
from monitoring.selectors import contents
from monitoring.selectors import drift as drawn
from monitoring.views.common import CONFIGURE, VIEW
from portfolio.views.common import find_use_case, person_of

REPORTS: Sequence[Column] = (
    Column("as_of", gettext_lazy("Data of"), "as_of", largest_first=True, value=lambda row: row.as_of),
    Column("verdict", gettext_lazy("Verdict"), ("verdict", "as_of"), value=lambda row: row.get_verdict_display()),
    Column("share", gettext_lazy("Drifted (%)"), "share", numeric=True, largest_first=True),
    Column("drifted", gettext_lazy("Features"), "drifted", numeric=True, largest_first=True),
    Column("rows", gettext_lazy("Rows"), "rows", numeric=True, largest_first=True),
    Column("current", gettext_lazy("Profile"), "current__name", value=lambda row: row.current.name),
    Column("version", gettext_lazy("Version"), "version__label", value=lambda r: r.version.label if r.version else ""),
    Column("sha256", gettext_lazy("Digest"), choosable=True, shown=False),
)
FEATURES: Sequence[Column] = (
    Column("place", gettext_lazy("Rank"), "place", numeric=True),
    Column("name", gettext_lazy("Feature"), "name"),
    Column("state", gettext_lazy("State"), ("state", "place"), value=lambda row: row.get_state_display()),
    Column("effect", gettext_lazy("Effect"), "effect", numeric=True, largest_first=True),
    Column("statistic", gettext_lazy("Statistic"), value=lambda row: row.effect_key, choosable=True, shown=False),
    Column("p_value", gettext_lazy("p-value"), "p_value", numeric=True),
    Column("missing", gettext_lazy("Missing (points)"), numeric=True, value=lambda row: _told(row, "missing_shift")),
    Column("kind", gettext_lazy("Kind"), ("kind", "place"), choosable=True),
    Column("role", gettext_lazy("Role"), ("role", "place"), choosable=True, shown=False),
)
GRAVEST = 3
"""Features that are drawn on the report itself."""


@require_safe
@login_required
def index(request: HttpRequest, key: str) -> HttpResponseBase:
    """The reference in force, the newest verdict, and every report."""
    use_case = find_use_case(request, key)
    table: TableState[DriftReport] = TableState.from_request(request, columns=REPORTS, default_sort="-as_of")
    form = ReportFilterForm(request.GET)
    reports = DriftReport.objects.filter(use_case=use_case).select_related("current", "version")
    rows = form.apply(reports.defer("current__body"), person_of(request))
    if table.export_format:
        return export_rows(table.export_format, f"drift-{use_case.key}", table.columns, table.order(rows).iterator())
    profiles = DataProfile.objects.filter(use_case=use_case).defer("body")
    newest = reports.defer("current__body").order_by("-as_of", "-made_at").first()
    context = {
        "use_case": use_case,
        "table": table.paginate(rows),
        "form": form,
        "chips": form.chips(request),
        "newest": newest,
        "words": verdict_words(newest) if newest else [],
        "references": profiles.filter(in_force=True).select_related("version").order_by("version__number"),
        "open": profiles.filter(state__in=("waiting", "running")).order_by("created_at")[:5],
        "failed": profiles.filter(state="failed").order_by("-finished_at")[:3],
        "watched": contents.watched(use_case),
        "data_url": reverse("monitoring:drift_data", args=[key]),
        "may_configure": CONFIGURE in actions_on(person_of(request), use_case),
    }
    return render(request, "monitoring/drift/index.html", context, partial="table")


@require_safe
@login_required
def data(request: HttpRequest, key: str) -> JsonResponse:
    """The share of drifted features over time; also the "Data" link under the chart."""
    return JsonResponse(drawn.shares(find_use_case(request, key)))


@require_safe
@login_required
def report(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The verdict in words, and every feature by rank."""
    found = _report(request, pk)
    table: TableState[DriftResult] = TableState.from_request(request, columns=FEATURES, default_sort="place")
    form = FeatureFilterForm(request.GET)
    rows = form.apply(found.results.all(), person_of(request))
    if table.export_format:
        name = f"drift-{found.use_case.key}-{found.as_of:%Y-%m-%d}"
        return export_rows(table.export_format, name, table.columns, table.order(rows).iterator(1000))
    judged = found.results.exclude(state__in=[state.value for state in NOT_COMPARED]).count()
    gravest = list(found.results.filter(is_drifted=True, effect__isnull=False)[:GRAVEST])
    context = {
        "report": found,
        "use_case": found.use_case,
        "table": table.paginate(rows),
        "extra": {"limit": found.terms.get("limit")},
        "form": form,
        "chips": form.chips(request),
        "words": verdict_words(found),
        "rule": rule_words(found, judged),
        "gravest": [
            {
                "result": each,
                "said": reason_words(each, found.terms)[0],
                "url": reverse("monitoring:drift_feature_data", args=[pk, each.pk]),
            }
            for each in gravest
        ],
        "may_configure": CONFIGURE in actions_on(person_of(request), found.use_case),
    }
    return render(request, "monitoring/drift/report.html", context, partial="table")


@require_safe
@login_required
def report_document(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The report as it was sealed: the SHA-256 of these bytes is its digest."""
    found = _report(request, pk)
    name = f"drift-{found.use_case.key}-{found.as_of:%Y-%m-%d}.json"
    body = document(found, found.results.all())
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(body, content_type="application/json", headers=headers)


@require_safe
@login_required
def feature(request: HttpRequest, pk: UUID, result_pk: int) -> HttpResponse:
    """One feature: its two histograms, every statistic with its definition, and its past."""
    found = _report(request, pk)
    result = _result(found, result_pk)
    before, now = drawn.columns_of(result)
    past = (
        DriftResult.objects.filter(
            name=result.name, report__use_case=found.use_case, report__version_id=found.version_id
        )
        .select_related("report")
        .order_by("-report__as_of", "-report__made_at")[:25]
    )
    context = {
        "report": found,
        "use_case": found.use_case,
        "result": result,
        "role": role_label(result.role),
        "reasons": reason_words(result, found.terms),
        "statistics": shown_statistics(result, found.terms),
        "before": before,
        "now": now,
        "past": past,
        "previous": found.results.filter(place__lt=result.place).order_by("-place").first(),
        "next": found.results.filter(place__gt=result.place).order_by("place").first(),
        "data_url": reverse("monitoring:drift_feature_data", args=[pk, result_pk]),
        "history_url": reverse("monitoring:drift_feature_history", args=[pk, result_pk]),
    }
    return render(request, "monitoring/drift/feature.html", context)


@require_safe
@login_required
def feature_data(request: HttpRequest, pk: UUID, result_pk: int) -> JsonResponse:
    """Both histograms, over the same bars."""
    return JsonResponse(drawn.histogram(*drawn.columns_of(_result(_report(request, pk), result_pk))))


@require_safe
@login_required
def feature_history(request: HttpRequest, pk: UUID, result_pk: int) -> JsonResponse:
    """The effect of the feature in all reports."""
    return JsonResponse(drawn.history(_result(_report(request, pk), result_pk)))


def _report(request: HttpRequest, pk: UUID) -> DriftReport:
    rows = DriftReport.objects.select_related("use_case__unit", "version", "reference", "current")
    rows = rows.defer("reference__body", "current__body")
    return get_object_or_404(for_user(rows, person_of(request), VIEW), pk=pk)


def _result(report: DriftReport, pk: int) -> DriftResult:
    return get_object_or_404(report.results.select_related("report"), pk=pk)


def _told(row: DriftResult, key: str) -> Any:
    return row.measured.get(key, {}).get("value", "")
