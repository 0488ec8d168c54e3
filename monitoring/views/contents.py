"""Texts and embeddings of a use case: a column that is watched with its past, and one comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import actions_on
from kernel.htmx import asks_for_partial, render
from kernel.tables import Column, TableState, export_rows
from monitoring import services
from monitoring.content_reports import document
from monitoring.content_wording import changed_words, method_words, result_words
from monitoring.forms.contents import ContentComparisonForm, ContentFilterForm, ContentSetupForm
from monitoring.models import ContentComparison, ContentSetup
from monitoring.selectors import contents
from monitoring.views.common import CONFIGURE, find, form_page, go, tried
from portfolio.views.common import allow, find_use_case, person_of

COMPARISONS: Sequence[Column] = (
    Column("as_of", gettext_lazy("Rows of"), "as_of", largest_first=True, value=lambda row: row.as_of),
    Column("name", gettext_lazy("Name"), "name"),
    Column("verdict", gettext_lazy("Verdict"), ("verdict", "as_of"), value=lambda row: row.get_verdict_display()),
    Column("auc", gettext_lazy("AUC"), "auc", numeric=True, largest_first=True),
    Column("low", gettext_lazy("From (95 %)"), "auc_low", numeric=True, value=lambda row: row.auc_low),
    Column("high", gettext_lazy("To (95 %)"), "auc_high", numeric=True, value=lambda row: row.auc_high),
    Column("state", gettext_lazy("State"), ("state", "as_of"), value=lambda row: row.get_state_display()),
    Column("sha256", gettext_lazy("Digest"), choosable=True, shown=False),
)


@require_safe
@login_required
def setup(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """A column that is watched: its newest result, its past, every comparison."""
    found = _setup(request, pk)
    table: TableState[ContentComparison] = TableState.from_request(request, columns=COMPARISONS, default_sort="-as_of")
    form = ContentFilterForm(request.GET)
    every = found.comparisons.all()
    rows = form.apply(every, person_of(request))
    if table.export_format:
        name = f"contents-{found.use_case.key}-{found.column}"
        return export_rows(table.export_format, name, table.columns, table.order(rows).iterator())
    newest = contents.newest(found)
    context = {
        "setup": found,
        "use_case": found.use_case,
        "table": table.paginate(rows),
        "form": form,
        "chips": form.chips(request),
        "newest": newest,
        "words": result_words(newest) if newest else [],
        "under_way": any(row.is_open for row in table),
        "data_url": reverse("monitoring:content_data", args=[pk]),
        "may_configure": CONFIGURE in actions_on(person_of(request), found.use_case),
    }
    return render(request, "monitoring/contents/setup.html", context, partial="table")


@require_safe
@login_required
def data(request: HttpRequest, pk: UUID) -> JsonResponse:
    """The AUC over time with its interval; also the "Data" link under the chart."""
    return JsonResponse(contents.history(_setup(request, pk)))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def watch(request: HttpRequest, key: str) -> HttpResponse:
    """Say which column of texts or embeddings is watched, and where its reference rows lie."""
    use_case = find_use_case(request, key)
    allow(request, use_case, CONFIGURE)
    form = ContentSetupForm(request.POST or None, use_case=use_case)
    return form_page(
        request,
        form,
        lambda: services.watch_content(
            use_case=use_case,
            content=form.content(),
            where=form.where(),
            version=form.cleaned_data["version"],
            by=person_of(request),
        ),
        done=_setup_url,
        said=_("It is watched. Compare newer rows with it next."),
        use_case=use_case,
        title=_("Watch texts or embeddings"),
        lead=_(
            "A classifier tries to tell newer rows from those of the reference. The reference stays where it is: it is"
            " read anew each time, and nothing of it is kept."
        ),
        submit=_("Watch it"),
        cancel_url=reverse("monitoring:drift", args=[key]),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def compare(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Compare newer rows with the reference."""
    found = _setup(request, pk)
    allow(request, found.use_case, CONFIGURE)
    form = ContentComparisonForm(request.POST or None, use_case=found.use_case, initial=contents.last_place(found))
    return form_page(
        request,
        form,
        lambda: services.compare_content(
            setup=found,
            name=form.cleaned_data["name"],
            where=form.where(),
            window=form.window(),
            by=person_of(request),
        ),
        done=_url,
        said=_("A worker reads the rows now. When it is done, there is a report."),
        use_case=found.use_case,
        title=_("Compare newer rows of %(column)s") % {"column": found.column},
        lead=_("Say where they lie. Rows are read there by a worker and never kept."),
        submit=_("Compare them"),
        cancel_url=_setup_url(found),
    )


@require_safe
@login_required
def comparison(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One comparison: how far it is, what came of it and what that means."""
    found = _comparison(request, pk)
    if asks_for_partial(request) and not found.is_open:
        return HttpResponseClientRefresh()  # the page around the progress says what it is now, too
    is_done = found.state == ContentComparison.JobState.DONE
    context = {
        "comparison": found,
        "setup": found.setup,
        "use_case": found.use_case,
        "words": result_words(found) if is_done else [],
        "method": method_words(found) if is_done else "",
        "changed": changed_words(found, contents.first(found.setup)) if is_done else "",
        "may_configure": CONFIGURE in actions_on(person_of(request), found.use_case),
    }
    return render(request, "monitoring/contents/comparison.html", context, partial="progress")


@require_safe
@login_required
def comparison_document(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The report as it was sealed: the SHA-256 of these bytes is its digest."""
    found = _comparison(request, pk)
    if found.state != ContentComparison.JobState.DONE:
        return go(request, _url(found))
    name = f"contents-{found.use_case.key}-{found.as_of:%Y-%m-%d}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(document(found), content_type="application/json", headers=headers)


@require_POST
@login_required
def unwatch(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = _setup(request, pk)
    allow(request, found.use_case, CONFIGURE)
    tried(request, lambda: services.unwatch_content(setup=found, by=person_of(request)), _("It is watched no more."))
    return go(request, _setup_url(found))


@require_POST
@login_required
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _moved(request, pk, services.cancel_content_comparison, _("Cancelled."))


@require_POST
@login_required
def retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _moved(request, pk, services.retry_content_comparison, _("It is tried again."))


def _moved(request: HttpRequest, pk: UUID, call: Callable[..., ContentComparison], said: str) -> HttpResponse:
    found = _comparison(request, pk)
    allow(request, found.use_case, CONFIGURE)
    tried(request, lambda: call(comparison=found, by=person_of(request)), said)
    return go(request, _url(found))


def _setup(request: HttpRequest, pk: UUID) -> ContentSetup:
    rows = ContentSetup.objects.select_related("use_case__unit", "version", "source", "created_by")
    return find(request, rows, pk)


def _comparison(request: HttpRequest, pk: UUID) -> ContentComparison:
    rows = ContentComparison.objects.select_related("use_case__unit", "setup__version", "source", "requested_by")
    return find(request, rows, pk)


def _setup_url(found: ContentSetup) -> str:
    return reverse("monitoring:content", args=[found.pk])


def _url(found: ContentComparison) -> str:
    return reverse("monitoring:content_comparison", args=[found.pk])
