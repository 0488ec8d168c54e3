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
from monitoring.mapping import SKIP, Words
from monitoring.models import Source
from monitoring.pulling import Preview
from monitoring.selectors.source_health import advice, breaker, gaps, outages, silence_of
from monitoring.views.common import CONFIGURE, find_source, go, panel_url
from monitoring.windows import progress
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
    """Choose a connector, fill it in, test it, say where its metrics go, and connect it."""
    use_case = find_use_case(request, key)
    allow(request, use_case, CONFIGURE)
    if request.method != "POST" and request.GET.get("connector") not in connectors:
        return _choice(request, use_case)
    asked = request.POST.get("connector") or request.GET.get("connector", "http_json")
    connector = asked if asked in connectors else "http_json"
    form = SourceForm(request.POST or None, connector=connector, use_case=use_case)
    shown: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        by, config, secret = person_of(request), form.config(), form.secret()
        try:
            if "try" in request.POST:
                own = form.own()
                shown["preview"] = services.try_source(
                    by=by, use_case=use_case, connector=connector, config=config, secret=secret, mapping=own["mapping"]
                )
                form.offer(shown["preview"].names)
            else:
                source = services.connect_source(
                    use_case=use_case, connector=connector, config=config, secret=secret, by=by, **form.own()
                )
                messages.success(request, _("Connected. The first points arrive within seconds."))
                return go(request, _url(source))
        except DomainError as error:
            form.put_errors(error.errors or {"": [error.message]})
    return connect_page(request, use_case, form, **shown)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change name, settings, schedule, mapping or secret."""
    source = find_source(request, pk)
    allow(request, source.use_case, CONFIGURE)
    form = SourceForm(request.POST or None, source=source)
    shown: dict[str, Any] = {
        "title": _("Edit %(name)s") % {"name": source.name},
        "submit": _("Save"),
        "cancel_url": _url(source),
    }
    if request.method == "POST" and form.is_valid():
        by, config, secret = person_of(request), form.config(), form.secret()
        try:
            if "try" in request.POST:
                mapping = form.own()["mapping"]
                shown["preview"] = services.try_source(
                    by=by, source=source, config=config, secret=secret, mapping=mapping
                )
                form.offer(shown["preview"].names)
            else:
                changes = {**form.own(), "config": config}
                services.edit_source(source=source, changes=changes, secret=secret, by=by)
                messages.success(request, _("Saved."))
                return go(request, _url(source))
        except DomainError as error:
            form.put_errors(error.errors or {"": [error.message]})
    return _form_page(request, source.use_case, form, **shown)


def connect_page(request: HttpRequest, use_case: UseCase, form: SourceForm, **shown: Any) -> HttpResponse:
    """The form of a new source, empty or filled in from a YAML."""
    title = _("Connect: %(connector)s") % {"connector": form.plugin.label}
    action = reverse("monitoring:source_connect", args=[use_case.key])
    return _form_page(request, use_case, form, **{"title": title, "submit": _("Connect"), "action": action, **shown})


def _choice(request: HttpRequest, use_case: UseCase) -> HttpResponse:
    # Not the classes themselves: a template calls what it can call.
    listed = [{"key": one.key, "label": one.label, "about": one.about} for one in connectors.values()]
    context = {"use_case": use_case, "connectors": listed, "cancel_url": panel_url(use_case)}
    return render(request, "monitoring/source_choice.html", context, partial="form")


def _page(request: HttpRequest, source: Source, preview: Preview | None = None) -> HttpResponse:
    plugin = connectors.get(source.connector) if source.connector in connectors else None
    labels = {setting.name: setting.label for setting in plugin.settings} if plugin else {}
    now = timezone.now()
    series: list[Any] = list(source.series.select_related("version").order_by("metric", "segment")[:100])
    silent = silence_of(series)
    for one in series:
        one.silence = silent.get(one.pk)
    context = {
        "source": source,
        "use_case": source.use_case,
        "connector_label": plugin.label if plugin else source.connector,
        "facts": _facts(source),
        "settings": [{"label": labels.get(name, name), "value": value} for name, value in source.config.items()],
        "mapped": [(str(Words(**e["from"])), _target(e["to"])) for e in source.mapping],
        "series": series,
        "may_configure": CONFIGURE in actions_on(person_of(request), source.use_case),
        "preview": preview,
        "form_action": reverse("monitoring:source_preview", args=[source.pk]),
        "advice": advice(source.error_kind) if source.last_error else "",
        "caught_up": round((progress(source, now) or 0) * 100) if source.catching_up_from else None,
        "pulls": source.pulls.all()[:10],
        "outages": outages(source, now)[:10],
        "gaps": gaps(source, series, now)[:10],
    }
    return render(request, "monitoring/source.html", context, partial="preview")


def _form_page(request: HttpRequest, use_case: UseCase, form: SourceForm, **shown: Any) -> HttpResponse:
    context = {
        "form": form,
        "use_case": use_case,
        "cancel_url": panel_url(use_case),
        "connector": form.plugin.key,
        "action": request.path,
        **shown,
    }
    return render(request, "monitoring/source_form.html", context, partial="form", status=answer(form))


def _facts(source: Source) -> list[dict[str, Any]]:
    now = timezone.now()
    lag = span((now - source.watermark).total_seconds()) if source.watermark else _("no point yet")
    return [
        {"label": _("Pulled every"), "value": span(source.every_seconds)},
        {"label": _("Newest point"), "value": _("%(span)s old") % {"span": lag} if source.watermark else lag},
        {"label": _("Points of the last pull"), "value": source.last_count},
        {"label": _("Breaker"), "value": breaker(source, now)},
        {"label": _("Failures in a row"), "value": source.failures},
        {"label": _("Secret"), "value": _("stored, encrypted") if source.secret else _("none")},
    ]


def _target(to: Any) -> str:
    return _("left out") if to == SKIP else str(Words(**to))


def _url(source: Source) -> str:
    return reverse("monitoring:source", args=[source.pk])
