"""Rules of a series: defined, tried on the past, changed, switched on and off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kernel.errors import DomainError, Invalid
from kernel.htmx import render
from monitoring import services
from monitoring.condition import conditions, in_order
from monitoring.forms.rules import RuleForm
from monitoring.models import Series
from monitoring.trial import DAYS, chart_of
from monitoring.views.common import CONFIGURE, find_rule, find_series, go
from monitoring.wording import breach_text, series_name
from portfolio.views.common import allow, answer, person_of

T = TypeVar("T")
KIND = "kind"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def define(request: HttpRequest, pk: int) -> HttpResponse:
    """A rule of one kind; it can be tried on the past before it is switched on."""
    series = find_series(request, pk)
    allow(request, series.use_case, CONFIGURE)
    kind = _kind(request)
    form = RuleForm(request.POST or None, series=series, condition=kind)
    return _page(
        request,
        series,
        form,
        lambda: services.define_rule(series=series, by=person_of(request), **form.values()),
        title=_("New rule for %(name)s") % {"name": series_name(series)},
        submit=_("Switch the rule on"),
        said=_("The rule is on."),
        kinds=[
            {"label": one.label, "url": f"{request.path}?{KIND}={one.key}", "current": one.key == kind}
            for one in in_order()
        ],
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change a rule."""
    rule = find_rule(request, pk)
    allow(request, rule.series.use_case, CONFIGURE)
    form = RuleForm(request.POST or None, series=rule.series, rule=rule)
    return _page(
        request,
        rule.series,
        form,
        lambda: services.edit_rule(rule=rule, changes=form.changes(), by=person_of(request)),
        title=_("Edit the rule %(name)s") % {"name": rule.name},
        submit=_("Save the rule"),
        said=_("Saved."),
    )


@require_POST
@login_required
def switch(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Switch a rule on or off."""
    rule = find_rule(request, pk)
    allow(request, rule.series.use_case, CONFIGURE)
    enabled = request.POST.get("enabled") == "on"
    services.switch_rule(rule=rule, enabled=enabled, by=person_of(request))
    messages.success(request, _("The rule is on.") if enabled else _("The rule is off; its alert ended."))
    return go(request, _url(rule.series))


@require_safe
@login_required
def trial_data(request: HttpRequest, pk: int) -> JsonResponse:
    """The chart of a trial: the form's fields as the address says them."""
    series = find_series(request, pk)
    form = RuleForm(request.GET, series=series, condition=_kind(request))
    for name in ("name", "reaction", "runbook_url"):
        del form.fields[name]
    if not form.is_valid():
        raise Invalid(_("The rule cannot be tried like this."), errors={k: list(v) for k, v in form.errors.items()})
    given = {name: value for name, value in form.values().items() if value is not None}
    return JsonResponse(chart_of(services.try_rule(series=series, by=person_of(request), **given), series))


def _page(request: HttpRequest, series: Series, form: RuleForm, call: Any, *, said: str, **shown: Any) -> HttpResponse:
    context = {
        "form": form,
        "about": form.kind.about,
        "use_case": series.use_case,
        "series": series,
        "days": DAYS,
        "cancel_url": _url(series),
        **shown,
    }
    if request.method == "POST" and form.is_valid():
        if "try" in request.POST:
            context |= _tried(request, series, form)
        elif _attempt(form, call) is not None:
            messages.success(request, said)
            return go(request, _url(series))
    return render(request, "monitoring/rules/form.html", context, partial="form", status=answer(form))


def _tried(request: HttpRequest, series: Series, form: RuleForm) -> dict[str, Any]:
    """What would have happened, for the form that asked."""
    trial = _attempt(form, lambda: services.try_rule(series=series, by=person_of(request), **form.only_limits()))
    if trial is None:
        return {}
    query = QueryDict(mutable=True)
    query[KIND] = form.kind.key
    for name in form.fields:
        if name in request.POST and name not in {"name", "reaction", "runbook_url"}:
            query[name] = request.POST[name]
    return {
        "tried": trial,
        "alerts": [
            {"alert": alert, "text": breach_text(trial.rule, series, alert.opened_by, alert.level)}
            for alert in trial.shown
        ],
        "trial_url": f"{reverse('monitoring:rule_trial', args=[series.pk])}?{query.urlencode()}",
    }


def _attempt(form: RuleForm, call: Callable[[], T]) -> T | None:
    """The service's answer, or None with what it refused written into the form."""
    try:
        return call()
    except DomainError as error:
        form.put_errors(error.errors or {"": [f"{error.message} {error.hint}".strip()]})
        return None


def _kind(request: HttpRequest) -> str:
    asked = request.GET.get(KIND, "")
    return asked if asked in conditions else in_order()[0].key


def _url(series: Series) -> str:
    return reverse("monitoring:series", args=[series.pk])
