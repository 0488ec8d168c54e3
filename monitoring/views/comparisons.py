"""Champion and challenger: the list, one comparison with its figures and its chart, the rule, the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import actions_on, for_user
from accounts.models import User
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows
from monitoring import services
from monitoring.catalogue import metric_name
from monitoring.forms.comparisons import ComparisonFilterForm, ComparisonForm, ComparisonVerdictForm
from monitoring.intervals import Interval
from monitoring.models import Comparison
from monitoring.selectors.comparing import Result, Side, compare, unsealed
from monitoring.selectors.comparison_charts import chart_of
from monitoring.services.comparisons import PLAN, RECORD, departs
from monitoring.views.common import VIEW, form_page
from monitoring.views.overview import section_tabs
from monitoring.wording import number, with_unit
from portfolio.models import UseCase
from portfolio.views.common import allow, find_use_case, person_of

FINDINGS = {
    "promote": ("met", "check-circle", gettext_lazy("The rule says: promote the challenger")),
    "keep": ("blocked", "error", gettext_lazy("The rule says: keep the champion")),
    "inconclusive": ("neutral", "dash-circle", gettext_lazy("The rule says: inconclusive")),
    "not_enough": ("attention", "hourglass", gettext_lazy("The data is not enough yet")),
}
COMPARISONS: Sequence[Column] = (
    Column("challenger", gettext_lazy("Comparison"), "challenger__label", value=str),
    Column("use_case", gettext_lazy("Use case"), "use_case__name", value=lambda row: row.use_case.key),
    Column("kind", gettext_lazy("Kind"), "kind", value=lambda row: row.get_kind_display()),
    Column("metric", gettext_lazy("Metric"), "metric"),
    Column("starts", gettext_lazy("Start"), "starts_at", largest_first=True, value=lambda row: row.starts_at),
    Column("verdict", gettext_lazy("Verdict"), ("verdict", "decided_at"), value=lambda row: row.get_verdict_display()),
    Column("decided", gettext_lazy("Decided"), "decided_at", largest_first=True, value=lambda row: row.decided_at),
)


@require_safe
@login_required
def comparisons(request: HttpRequest) -> HttpResponseBase:
    """Which versions stand beside each other, and what came of it."""
    user = person_of(request)
    table: TableState[Comparison] = TableState.from_request(request, columns=COMPARISONS, default_sort="-starts")
    form = ComparisonFilterForm(request.GET)
    related = ("use_case", "champion__model", "challenger__model", "decided_by")
    rows = form.apply(for_user(Comparison.objects.select_related(*related), user, VIEW), user)
    if table.export_format:
        return export_rows(table.export_format, "comparisons", table.columns, table.order(rows).iterator(1000))
    context = {
        "table": table.paginate(rows),
        "form": form,
        "chips": form.chips(request),
        "tabs": section_tabs("comparisons"),
        "define_url": _define_url(user, form),
    }
    return render(request, "monitoring/comparisons/list.html", context, partial="table")


@require_safe
@login_required
def page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The rule, the figures as they stand (or as they were sealed), the chart, the verdict."""
    row = _find(request, pk)
    allowed = actions_on(person_of(request), row.use_case)
    result = unsealed(row) if row.verdict else compare(row)
    tone, icon, words = FINDINGS[result.finding]
    context = {
        "comparison": row,
        "use_case": row.use_case,
        "name": metric_name(row.metric),
        "result": result,
        "tone": tone,
        "icon": icon,
        "words": words,
        "is_short": result.finding == "not_enough",
        "lines": _lines(row, result),
        "rule": _rule(row),
        "departs": departs(row),
        "data_url": reverse("monitoring:comparison_data", args=[row.pk]),
        "may_decide": not row.verdict and RECORD in allowed,
    }
    return render(request, "monitoring/comparisons/comparison.html", context, partial="comparison")


@require_safe
@login_required
def data(request: HttpRequest, pk: UUID) -> JsonResponse:
    """The chart's numbers; also the "Data" link under it."""
    return JsonResponse(chart_of(_find(request, pk)))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def define(request: HttpRequest, key: str) -> HttpResponse:
    """State the rule before the first figure."""
    use_case = find_use_case(request, key)
    allow(request, use_case, PLAN)
    form = ComparisonForm(request.POST or None, use_case=use_case)
    return form_page(
        request,
        form,
        lambda: services.define_comparison(use_case=use_case, by=person_of(request), **form.values()),
        done=_url,
        said=_("The rule stands. It cannot be edited: a comparison that was wrongly set up ends as inconclusive."),
        use_case=use_case,
        title=_("Compare two versions"),
        lead=_("Say what decides before the first figure is seen. It is on record and cannot be edited later."),
        submit=_("State the rule and start"),
        cancel_url=f"{reverse('monitoring:comparisons')}?use_case={use_case.key}",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A person's verdict, as a validation run of the challenger."""
    row = _find(request, pk)
    allow(request, row.use_case, RECORD)
    form = ComparisonVerdictForm(request.POST or None)
    return form_page(
        request,
        form,
        lambda: services.decide_comparison(comparison=row, by=person_of(request), **form.cleaned_data),
        done=_url,
        said=_("The verdict is on record, as a validation run of the challenger."),
        use_case=row.use_case,
        title=_("Verdict on %(challenger)s against %(champion)s")
        % {"challenger": row.challenger.label, "champion": row.champion.label},
        lead=str(FINDINGS[compare(row).finding][2]) + ".",
        submit=_("Record the verdict"),
        cancel_url=_url(row),
    )


def _define_url(user: User, form: ComparisonFilterForm) -> str:
    """Where to set one up, while the list is of one use case and the person may."""
    key = form.cleaned_data.get("use_case", "")
    found = for_user(UseCase.objects.filter(key=key), user, PLAN).exists() if key else False
    return reverse("monitoring:comparison_define", args=[key]) if found else ""


def _find(request: HttpRequest, pk: UUID) -> Comparison:
    related = ("use_case__unit", "champion__model", "challenger__model", "decided_by", "created_by", "run")
    return get_object_or_404(for_user(Comparison.objects.select_related(*related), person_of(request), VIEW), pk=pk)


def _url(row: Comparison) -> str:
    return reverse("monitoring:comparison", args=[row.pk])


def _lines(row: Comparison, result: Result) -> list[dict[str, Any]]:
    """The primary metric first, then the guardrails; differences as challenger minus champion."""
    primary = _line(metric_name(row.metric), row.unit, (result.champion, result.challenger), result.difference)
    others = [
        _line(each.name, each.unit, (each.champion, each.challenger), each.difference, each.state)
        for each in result.guardrails
    ]
    return [primary | {"is_primary": True}, *others]


def _line(
    name: str, unit: str, sides: tuple[Side, Side], difference: Interval | None, state: str = ""
) -> dict[str, Any]:
    champion, challenger = ({"n": side.n, "value": number(side.value)} for side in sides)
    interval = None
    if difference is not None:
        interval = {"value": number(difference.value), "low": number(difference.low), "high": number(difference.high)}
    line = {"name": name, "unit": unit, "champion": champion, "challenger": challenger}
    return {**line, "difference": interval, "state": state, "is_primary": False}


def _rule(row: Comparison) -> list[dict[str, Any]]:
    better = _("more is better") if row.direction == "higher" else _("less is better")
    what = {"points": _("points of each"), "reviews": _("reviews of each"), "pairs": _("cases of both")}[row.basis]
    facts: list[dict[str, Any]] = [
        {"label": _("How it runs"), "value": row.get_kind_display()},
        {"label": _("Share of the traffic"), "value": f"{row.traffic_percent:g} %"},
        {"label": _("What decides"), "value": row.get_basis_display(), "note": f"{metric_name(row.metric)}; {better}"},
        {"label": _("Better by more than"), "value": with_unit(row.margin, row.unit)},
        {
            "label": _("Must not grow worse"),
            "value": ", ".join(metric_name(key) for key in row.guardrails) or _("nothing"),
        },
        {"label": _("Least sample"), "value": f"{row.min_sample} {what}"},
        {"label": _("Least days"), "value": row.min_days},
        {"label": _("Start"), "value": f"{row.starts_at:%Y-%m-%d %H:%M} UTC"},
        {"label": _("End"), "value": f"{row.ends_at:%Y-%m-%d %H:%M} UTC" if row.ends_at else _("with the verdict")},
        {"label": _("Stated"), "value": f"{row.created_at:%Y-%m-%d %H:%M} UTC", "note": str(row.created_by or "")},
    ]
    if row.note:
        facts.append({"label": _("What else was agreed"), "value": row.note})
    return facts
