"""What is done with a source that is there, and its history of pulls."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kernel.errors import DomainError
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows
from monitoring import services, source_text
from monitoring.forms.filters import PullFilterForm
from monitoring.forms.sources import BackfillForm, SourceForm, SourceTextForm
from monitoring.models import PullRun, Source
from monitoring.views.common import CONFIGURE, find_source, form_page, go, panel_url
from monitoring.views.sources import connect_page
from portfolio.views.common import allow, answer, find_use_case, person_of

PULLS: Sequence[Column] = (
    Column("started", gettext_lazy("Began"), "started_at", largest_first=True, value=lambda row: row.started_at),
    Column("outcome", gettext_lazy("Outcome"), ("outcome", "started_at"), value=lambda row: row.get_outcome_display()),
    Column("since", gettext_lazy("From"), "since", value=lambda row: row.since),
    Column("until", gettext_lazy("To"), "until", value=lambda row: row.until),
    Column("fetched", gettext_lazy("Points"), "fetched", numeric=True, largest_first=True),
    Column("stored", gettext_lazy("New"), "stored", numeric=True, largest_first=True),
    Column("revised", gettext_lazy("Changed"), "revised", numeric=True, largest_first=True),
    Column("took", gettext_lazy("Took"), value=lambda row: row.took.total_seconds() if row.took else None),
    Column("error", gettext_lazy("What went wrong"), value=lambda row: row.error),
)


@require_POST
@login_required
def pause(request: HttpRequest, pk: UUID) -> HttpResponse:
    source = _mine(request, pk)
    services.pause_source(source=source, by=person_of(request))
    messages.success(request, _("Paused: nothing is pulled until it is resumed."))
    return go(request, _url(source))


@require_POST
@login_required
def resume(request: HttpRequest, pk: UUID) -> HttpResponse:
    source = _mine(request, pk)
    services.resume_source(source=source, by=person_of(request))
    messages.success(request, _("Resumed: it is pulled within seconds."))
    return go(request, _url(source))


@require_POST
@login_required
def pull(request: HttpRequest, pk: UUID) -> HttpResponse:
    source = _mine(request, pk)
    services.pull_now(source=source, by=person_of(request))
    messages.success(request, _("It is pulled within seconds."))
    return go(request, _url(source))


@require_POST
@login_required
def clone(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A paused copy, and its form: the secret has to be entered, or another address."""
    copy = services.clone_source(source=_mine(request, pk), by=person_of(request))
    messages.success(request, _("Cloned. It is paused until you resume it; its secret was not copied."))
    return go(request, reverse("monitoring:source_edit", args=[copy.pk]))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def backfill(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Read everything from a moment on once more."""
    source = _mine(request, pk)
    form = BackfillForm(request.POST if request.method == "POST" else None)
    return form_page(
        request,
        form,
        lambda: services.backfill_source(source=source, since=form.moment(), by=person_of(request)),
        done=_url,
        said=_("It is read again, in parts; its page shows how far it is."),
        use_case=source.use_case,
        title=_("Read %(name)s again") % {"name": source.name},
        lead=_("After an outage of the source, or when it changed its past."),
        submit=_("Read again"),
        cancel_url=_url(source),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take a source away, once it was said what stays and what goes."""
    source = _mine(request, pk)
    if request.method == "POST":
        services.delete_source(source=source, by=person_of(request))
        messages.success(
            request, _("Deleted: %(name)s. Its series and their points are still there.") % {"name": source}
        )
        return go(request, panel_url(source.use_case))
    context = {
        "source": source,
        "use_case": source.use_case,
        "series_count": source.series.count(),
        "pull_count": source.pulls.count(),
    }
    return render(request, "monitoring/source_delete.html", context)


@require_safe
@login_required
def text(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The source as YAML, without its secret."""
    source = find_source(request, pk)
    name = f"{slugify(source.name) or 'source'}.yaml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(source_text.write(source), content_type="application/yaml; charset=utf-8", headers=headers)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def connect_text(request: HttpRequest, key: str) -> HttpResponse:
    """Read a YAML, and show the form that it fills in; nothing is stored before that is sent."""
    use_case = find_use_case(request, key)
    allow(request, use_case, CONFIGURE)
    is_sent = request.method == "POST"
    form = SourceTextForm(request.POST if is_sent else None, request.FILES if is_sent else None)
    if is_sent and form.is_valid():
        try:
            found = source_text.read(form.cleaned_data["text"])
        except DomainError as error:
            form.add_error("text", error.message)
        else:
            given = {name: getattr(found, name) for name in found.__slots__}
            filled = SourceForm(connector=found.connector, use_case=use_case, given=given)
            return connect_page(request, use_case, filled, from_text=True)
    context = {"form": form, "use_case": use_case, "cancel_url": panel_url(use_case)}
    return render(request, "monitoring/source_text.html", context, status=answer(form))


@require_safe
@login_required
def pulls(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Every attempt to read the source."""
    source = find_source(request, pk)
    table: TableState[PullRun] = TableState.from_request(request, columns=PULLS, default_sort="-started")
    form = PullFilterForm(request.GET)
    rows = form.apply(PullRun.objects.filter(source=source), person_of(request))
    if table.export_format:
        return export_rows(table.export_format, "pulls", table.columns, table.order(rows).iterator(1000))
    context = {
        "source": source,
        "use_case": source.use_case,
        "table": table.paginate(rows),
        "form": form,
        "chips": form.chips(request),
    }
    return render(request, "monitoring/pulls.html", context, partial="table")


def _mine(request: HttpRequest, pk: UUID) -> Source:
    source = find_source(request, pk)
    allow(request, source.use_case, CONFIGURE)
    return source


def _url(source: Source) -> str:
    return reverse("monitoring:source", args=[source.pk])
