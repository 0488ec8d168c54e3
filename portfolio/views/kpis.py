"""KPIs of a use case: define, edit, lock, measure, and the data of their charts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kernel.htmx import render
from portfolio import services
from portfolio.forms.kpis import KpiForm, MeasurementForm
from portfolio.models import Kpi, UseCase
from portfolio.selectors.kpis import chart_of, stories
from portfolio.views.common import allow, answer, attempt, find_use_case, person_of, posted
from portfolio.views.use_cases import panel_url


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def define(request: HttpRequest, key: str) -> HttpResponse:
    """Define a success measure."""
    use_case = find_use_case(request, key)
    allow(request, use_case, "kpi.define")
    form = KpiForm(posted(request), first=not use_case.kpis.filter(is_current=True).exists())
    return _saved(
        request,
        use_case,
        form,
        lambda: services.define_kpi(use_case=use_case, by=person_of(request), **form.values()),
        title=_("Define a KPI"),
        submit=_("Define this KPI"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, key: str, kpi: str) -> HttpResponse:
    """Change a definition; of a locked one this makes the next version."""
    use_case = find_use_case(request, key)
    allow(request, use_case, "kpi.define")
    found = _current(use_case, kpi)
    form = KpiForm(posted(request), kpi=found)
    return _saved(
        request,
        use_case,
        form,
        lambda: services.edit_kpi(kpi=found, changes=form.values(), by=person_of(request)),
        title=_("Edit %(name)s") % {"name": found.name},
        submit=_("Save as version %(number)d") % {"number": found.version + 1} if found.is_locked else _("Save"),
        lead=_("Version %(number)d is locked and stays as it is. The new version has to be locked again.")
        % {"number": found.version}
        if found.is_locked
        else "",
    )


@require_POST
@login_required
def lock(request: HttpRequest, key: str, kpi: str) -> HttpResponse:
    """Agree on a definition."""
    use_case = find_use_case(request, key)
    allow(request, use_case, "kpi.lock")
    locked = services.lock_kpi(kpi=_current(use_case, kpi), by=person_of(request))
    messages.success(request, _("%(name)s is locked: from now on an edit makes a new version.") % {"name": locked.name})
    return redirect(_tab(use_case, locked))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def measure(request: HttpRequest, key: str, kpi: str) -> HttpResponse:
    """Record what was measured over a window of days."""
    use_case = find_use_case(request, key)
    allow(request, use_case, "kpi.record")
    found = _current(use_case, kpi)
    form = MeasurementForm(posted(request), kpi=found)
    return _saved(
        request,
        use_case,
        form,
        lambda: services.record_measurement(kpi=found, by=person_of(request), **form.cleaned_data).kpi,
        title=_("Record a measurement of %(name)s") % {"name": found.name},
        submit=_("Record"),
        unit=found.unit,
    )


@require_safe
@login_required
def chart(request: HttpRequest, key: str, kpi: str) -> JsonResponse:
    """The measurements as the chart component reads them."""
    use_case = find_use_case(request, key)
    for story in stories(use_case):
        if story.kpi.key == kpi:
            return JsonResponse(chart_of(story.kpi, story.measurements))
    raise Http404


def _saved(request: HttpRequest, use_case: UseCase, form: Any, call: Callable[[], Kpi], **shown: Any) -> HttpResponse:
    """Save a valid form and go back to the KPI, or show the form with what is wrong."""
    if request.method == "POST" and form.is_valid():
        kpi = attempt(form, call)
        if kpi is not None:
            messages.success(request, _("Saved."))
            return redirect(_tab(use_case, kpi))
    context = {"form": form, "use_case": use_case, "cancel_url": panel_url(use_case, "kpis"), **shown}
    return render(request, "portfolio/form.html", context, status=answer(form))


def _current(use_case: UseCase, key: str) -> Kpi:
    return get_object_or_404(Kpi, use_case=use_case, key=key, is_current=True)


def _tab(use_case: UseCase, kpi: Kpi) -> str:
    return f"{panel_url(use_case, 'kpis')}#kpi-{kpi.key}"
