"""One series: its chart, its data, its baseline, its rules."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import actions_on
from kernel.errors import Invalid
from kernel.exports import export_rows
from kernel.htmx import render
from kernel.tables import Column
from monitoring import services
from monitoring.catalogue import metric
from monitoring.forms.series import BaselineForm, PointForm, SeriesEditForm, SeriesForm
from monitoring.forms.spans import ChartForm
from monitoring.models import Alert, Rule, Series
from monitoring.selectors import points_of
from monitoring.selectors.charts import Asked, bounds, chart_of, what_happened
from monitoring.selectors.overview import cards
from monitoring.selectors.points import Sampled, recent_points
from monitoring.views.common import CONFIGURE, find_series, form_page
from monitoring.wording import condition_of, limit_text, series_name, with_unit
from portfolio.views.common import allow, find_use_case, person_of

POINT_COLUMNS = (
    Column("time", gettext_lazy("Time (UTC)")),
    Column("step", gettext_lazy("Step")),
    Column("value", gettext_lazy("Value")),
    Column("n", gettext_lazy("Observations")),
)
ROWS_SHOWN = 50
MOST_OTHERS = 40


@require_safe
@login_required
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """The series over a range of time, with limits and what happened."""
    series = find_series(request, pk)
    rules = list(series.rules.all())
    context = {
        "series": series,
        "name": series_name(series),
        "use_case": series.use_case,
        "card": cards([series])[0],
        "metric": metric(series.metric),
        "rules": [_rule_row(rule, series) for rule in rules],
        "alerts": Alert.objects.filter(series=series).order_by("-opened_at")[:20],
        "points": list(reversed(recent_points([series.pk], ROWS_SHOWN)[series.pk])),
        **_charted(request, series),
        "may_configure": CONFIGURE in actions_on(person_of(request), series.use_case),
    }
    return render(request, "monitoring/series.html", context, partial="chart")


@require_safe
@login_required
def data(request: HttpRequest, pk: int) -> JsonResponse:
    """The chart's numbers; also the "Data" link under it."""
    series = find_series(request, pk)
    return JsonResponse(chart_of(series, _asked(request, series)))


@require_safe
@login_required
def points(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The points of the range as a file."""
    series = find_series(request, pk)
    start, end = bounds(series, _asked(request, series).span)
    form = "xlsx" if request.GET.get("format") == "xlsx" else "csv"
    name = f"{series.use_case.key}-{series.metric}"
    return export_rows(form, name, POINT_COLUMNS, _capped(points_of(series, start=start, end=end)))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def define(request: HttpRequest, key: str) -> HttpResponse:
    """Watch a metric."""
    use_case = find_use_case(request, key)
    allow(request, use_case, CONFIGURE)
    form = SeriesForm(request.POST or None, use_case=use_case)
    return form_page(
        request,
        form,
        lambda: services.define_series(use_case=use_case, by=person_of(request), **form.values()),
        done=_url,
        said=_("The series is defined. Now give it a rule."),
        use_case=use_case,
        title=_("Watch a metric"),
        submit=_("Watch this metric"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change how a series is called, counted or expected."""
    series = _configurable(request, pk)
    form = SeriesEditForm(request.POST or None, series=series)
    return _form(
        request,
        series,
        form,
        lambda: services.edit_series(series=series, changes=form.cleaned_data, by=person_of(request)),
        title=_("Edit %(name)s") % {"name": series_name(series)},
        submit=_("Save"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def baseline(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what later values are compared with."""
    series = _configurable(request, pk)
    form = BaselineForm(request.POST or None, series=series)
    return _form(
        request,
        series,
        form,
        lambda: services.set_baseline(series=series, value=form.cleaned_data["value"], by=person_of(request)),
        title=_("Baseline of %(name)s") % {"name": series_name(series)},
        submit=_("Set the baseline"),
        unit=series.unit,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def record(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter a value by hand."""
    series = _configurable(request, pk)
    form = PointForm(request.POST or None)
    return _form(
        request,
        series,
        form,
        lambda: services.record_point(series=series, by=person_of(request), **form.cleaned_data),
        title=_("Enter a value of %(name)s") % {"name": series_name(series)},
        submit=_("Enter"),
        unit=series.unit,
    )


def _form(request: HttpRequest, series: Series, form: Any, call: Any, **shown: Any) -> HttpResponse:
    return form_page(
        request,
        form,
        call,
        done=lambda _result: _url(series),
        said=_("Saved."),
        use_case=series.use_case,
        **{"cancel_url": _url(series), **shown},
    )


def _configurable(request: HttpRequest, pk: int) -> Series:
    series = find_series(request, pk)
    allow(request, series.use_case, CONFIGURE)
    return series


def _rule_row(rule: Rule, series: Series) -> dict[str, Any]:
    kind = condition_of(rule)
    clear = None if rule.clear is None else with_unit(rule.clear, kind.limit_unit(series.unit))
    return {
        "rule": rule,
        "kind": kind.label,
        "warn": limit_text(rule, "warn", series.unit),
        "act": limit_text(rule, "act", series.unit),
        "clear": clear,
    }


def _url(series: Series) -> str:
    return reverse("monitoring:series", args=[series.pk])


def _charted(request: HttpRequest, series: Series) -> dict[str, Any]:
    """What the chart is drawn from: its filters, its addresses, and what happened in its time."""
    form = _chart_form(request, series)
    asked = form.asked
    start, end = bounds(series, asked.span)
    chosen = QueryDict(asked.span.query, mutable=True)
    for name in ("compare", "overlay", "buckets"):
        if form.is_valid() and request.GET.get(name):
            chosen.setlist(name, request.GET.getlist(name))
    return {
        "form": form,
        "span": asked.span,
        "start": start,
        "end": end,
        "happened": list(reversed(what_happened([series, *asked.overlaid], start, end))),
        "data_url": f"{reverse('monitoring:series_data', args=[series.pk])}?{chosen.urlencode()}",
        "csv_url": f"{reverse('monitoring:series_points', args=[series.pk])}?{asked.span.query}",
    }


def _asked(request: HttpRequest, series: Series) -> Asked:
    """What the address asks for. Raises ``Invalid`` for what cannot be drawn: a file must not hold something else."""
    form = _chart_form(request, series)
    if not form.is_valid():
        errors = {name: [str(each) for each in said] for name, said in form.errors.items()}
        raise Invalid(" ".join(said for each in errors.values() for said in each), errors=errors)
    return form.asked


def _chart_form(request: HttpRequest, series: Series) -> ChartForm:
    others = Series.objects.filter(use_case=series.use_case_id, metric=series.metric).exclude(pk=series.pk)
    return ChartForm(request.GET, others=list(others.select_related("version")[:MOST_OTHERS]))


def _capped(rows: Iterator[Sampled]) -> Iterator[Sampled]:
    """At most what a spreadsheet holds."""
    return islice(rows, 1_000_000)
