"""One source: how it does, what it gives, how it is set up."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import actions_on
from kernel.errors import DomainError
from kernel.htmx import render
from monitoring import services
from monitoring.connector import connectors
from monitoring.forms.sources import SourceForm
from monitoring.models import Source
from monitoring.pulling import Preview
from monitoring.views.common import CONFIGURE, find_source, go, panel_url
from monitoring.wording import span
from portfolio.models import UseCase
from portfolio.views.common import allow, answer, find_use_case, person_of


@require_safe
@login_required
def page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Health, lag, last error, schedule, settings, and the series it feeds."""
    return _page(request, find_source(request, pk))


@require_POST
@login_required
def preview(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask the source now and show its first points; nothing is stored."""
    source = find_source(request, pk)
    allow(request, source.use_case, CONFIGURE)
    return _page(request, source, preview=services.try_source(source=source, by=person_of(request)))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def connect(request: HttpRequest, key: str) -> HttpResponse:
    """Connect a source; "Test" shows its first points before anything is stored."""
    use_case = find_use_case(request, key)
    allow(request, use_case, CONFIGURE)
    asked = request.POST.get("connector") or request.GET.get("connector", "http_json")
    connector = asked if asked in connectors else "http_json"
    form = SourceForm(request.POST or None, connector=connector)
    shown: dict[str, Any] = {"title": _("Connect a source"), "submit": _("Connect"), "connector": connector}
    if request.method == "POST" and form.is_valid():
        by, config, secret = person_of(request), form.config(), form.secret()
        try:
            if "try" in request.POST:
                shown["preview"] = services.try_source(
                    by=by, use_case=use_case, connector=connector, config=config, secret=secret
                )
            else:
                source = services.connect_source(
                    use_case=use_case, connector=connector, config=config, secret=secret, by=by, **_own(form)
                )
                messages.success(request, _("Connected. The first points arrive within seconds."))
                return go(request, _url(source))
        except DomainError as error:
            form.put_errors(error.errors or {"": [error.message]})
    return _form_page(request, use_case, form, **shown)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change name, settings, schedule or secret."""
    source = find_source(request, pk)
    allow(request, source.use_case, CONFIGURE)
    form = SourceForm(request.POST or None, source=source)
    shown: dict[str, Any] = {
        "title": _("Edit %(name)s") % {"name": source.name},
        "submit": _("Save"),
        "connector": source.connector,
        "cancel_url": _url(source),
    }
    if request.method == "POST" and form.is_valid():
        by, config, secret = person_of(request), form.config(), form.secret()
        try:
            if "try" in request.POST:
                shown["preview"] = services.try_source(by=by, source=source, config=config, secret=secret)
            else:
                changes = {**_own(form), "config": config}
                services.edit_source(source=source, changes=changes, secret=secret, by=by)
                messages.success(request, _("Saved."))
                return go(request, _url(source))
        except DomainError as error:
            form.put_errors(error.errors or {"": [error.message]})
    return _form_page(request, source.use_case, form, **shown)


@require_POST
@login_required
def pause(request: HttpRequest, pk: UUID) -> HttpResponse:
    source = find_source(request, pk)
    allow(request, source.use_case, CONFIGURE)
    services.pause_source(source=source, by=person_of(request))
    messages.success(request, _("Paused: nothing is pulled until it is resumed."))
    return go(request, _url(source))


@require_POST
@login_required
def resume(request: HttpRequest, pk: UUID) -> HttpResponse:
    source = find_source(request, pk)
    allow(request, source.use_case, CONFIGURE)
    services.resume_source(source=source, by=person_of(request))
    messages.success(request, _("Resumed: it is pulled within seconds."))
    return go(request, _url(source))


@require_POST
@login_required
def pull(request: HttpRequest, pk: UUID) -> HttpResponse:
    source = find_source(request, pk)
    allow(request, source.use_case, CONFIGURE)
    services.pull_now(source=source, by=person_of(request))
    messages.success(request, _("It is pulled within seconds."))
    return go(request, _url(source))


def _page(request: HttpRequest, source: Source, preview: Preview | None = None) -> HttpResponse:
    plugin = connectors.get(source.connector) if source.connector in connectors else None
    labels = {setting.name: setting.label for setting in plugin.settings} if plugin else {}
    context = {
        "source": source,
        "use_case": source.use_case,
        "connector_label": plugin.label if plugin else source.connector,
        "facts": _facts(source),
        "settings": [{"label": labels.get(name, name), "value": value} for name, value in source.config.items()],
        "series": source.series.select_related("version").order_by("metric", "segment")[:100],
        "may_configure": CONFIGURE in actions_on(person_of(request), source.use_case),
        "preview": preview,
        "form_action": reverse("monitoring:source_preview", args=[source.pk]),
    }
    return render(request, "monitoring/source.html", context, partial="preview")


def _form_page(request: HttpRequest, use_case: UseCase, form: SourceForm, **shown: Any) -> HttpResponse:
    context = {"form": form, "use_case": use_case, "cancel_url": panel_url(use_case), "may_try": True, **shown}
    return render(request, "monitoring/source_form.html", context, partial="form", status=answer(form))


def _facts(source: Source) -> list[dict[str, Any]]:
    now = timezone.now()
    lag = span((now - source.watermark).total_seconds()) if source.watermark else _("no point yet")
    return [
        {"label": _("Pulled every"), "value": span(source.every_seconds)},
        {"label": _("Newest point"), "value": _("%(span)s old") % {"span": lag} if source.watermark else lag},
        {"label": _("Points of the last pull"), "value": source.last_count},
        {"label": _("Failures in a row"), "value": source.failures},
        {"label": _("Secret"), "value": _("stored, encrypted") if source.secret else _("none")},
    ]


def _own(form: SourceForm) -> dict[str, Any]:
    return {"name": form.cleaned_data["name"], "every_seconds": form.cleaned_data["every_seconds"]}


def _url(source: Source) -> str:
    return reverse("monitoring:source", args=[source.pk])
