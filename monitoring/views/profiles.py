"""Profiles of a use case: asked for, under way, done; and the terms of its reference."""

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
from monitoring import profiling, services
from monitoring.forms.profiles import CurrentForm, ProfileFilterForm, ReferenceForm, TermsForm
from monitoring.models import DataProfile
from monitoring.profiles.wire import as_json
from monitoring.views.common import CONFIGURE, find, form_page, go, tried
from portfolio.views.common import allow, find_use_case, person_of

PROFILES: Sequence[Column] = (
    Column("name", gettext_lazy("Profile"), "name"),
    Column("purpose", gettext_lazy("Purpose"), ("purpose", "created_at"), value=lambda r: r.get_purpose_display()),
    Column("state", gettext_lazy("State"), ("state", "created_at"), value=lambda row: row.get_state_display()),
    Column("rows", gettext_lazy("Rows"), "rows", numeric=True, largest_first=True),
    Column("columns", gettext_lazy("Columns"), "columns", numeric=True, largest_first=True),
    Column("origin", gettext_lazy("From"), ("origin", "created_at"), value=lambda row: row.get_origin_display()),
    Column("created", gettext_lazy("Asked for"), "created_at", largest_first=True, value=lambda row: row.created_at),
    Column("sha256", gettext_lazy("Digest"), choosable=True, shown=False),
)


@require_safe
@login_required
def index(request: HttpRequest, key: str) -> HttpResponseBase:
    """Every profile of the use case, with what is under way."""
    use_case = find_use_case(request, key)
    table: TableState[DataProfile] = TableState.from_request(request, columns=PROFILES, default_sort="-created")
    form = ProfileFilterForm(request.GET)
    rows = DataProfile.objects.filter(use_case=use_case).select_related("version").defer("body")
    rows = form.apply(rows, person_of(request))
    if table.export_format:
        return export_rows(table.export_format, f"profiles-{key}", table.columns, table.order(rows).iterator())
    context = {
        "use_case": use_case,
        "table": table.paginate(rows),
        "form": form,
        "chips": form.chips(request),
        "under_way": any(profile.is_open for profile in table),
        "may_configure": CONFIGURE in actions_on(person_of(request), use_case),
    }
    return render(request, "monitoring/drift/profiles.html", context, partial="table")


@require_safe
@login_required
def page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One profile: how far it is, what it holds, what came of it."""
    profile = _find(request, pk)
    if asks_for_partial(request) and not profile.is_open:
        return HttpResponseClientRefresh()  # the page around the progress says what it is now, too
    context = {
        "profile": profile,
        "use_case": profile.use_case,
        "reports": profile.reports.order_by("-made_at")[:20],
        "against": profile.reports_against.order_by("-as_of")[:5],
        "terms": profile.agreed() if profile.purpose == DataProfile.Purpose.REFERENCE else None,
        "may_configure": CONFIGURE in actions_on(person_of(request), profile.use_case),
    }
    return render(request, "monitoring/drift/profile.html", context, partial="progress")


@require_safe
@login_required
def body(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The counts as JSON, as they may be sent elsewhere."""
    profile = _find(request, pk)
    if profile.state != DataProfile.ProfileState.DONE:
        return go(request, _url(profile))
    headers = {"Content-Disposition": f'attachment; filename="profile-{profile.pk}.json"'}
    return JsonResponse(as_json(profiling.body_of(profile)), headers=headers)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def reference(request: HttpRequest, key: str) -> HttpResponse:
    """Say which data is normal."""
    use_case = find_use_case(request, key)
    allow(request, use_case, CONFIGURE)
    form = ReferenceForm(request.POST or None, use_case=use_case)
    return form_page(
        request,
        form,
        lambda: services.profile_reference(
            use_case=use_case,
            name=form.cleaned_data["name"],
            where=form.where(),
            version=form.cleaned_data["version"],
            wanted=form.wanted(),
            by=person_of(request),
        ),
        done=_url,
        said=_("A worker counts the rows now. When it is done, the reference is in force."),
        use_case=use_case,
        title=_("Profile a reference"),
        lead=_("The data that the model was made with, or a time when all was well. Rows are counted and never kept."),
        submit=_("Profile it"),
        cancel_url=reverse("monitoring:drift", args=[key]),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def current(request: HttpRequest, key: str) -> HttpResponse:
    """Compare newer data with the reference."""
    use_case = find_use_case(request, key)
    allow(request, use_case, CONFIGURE)
    form = CurrentForm(request.POST or None, use_case=use_case)
    return form_page(
        request,
        form,
        lambda: services.profile_current(
            use_case=use_case,
            name=form.cleaned_data["name"],
            where=form.where(),
            version=form.cleaned_data["version"],
            window=form.window(),
            by=person_of(request),
        ),
        done=_url,
        said=_("A worker counts the rows now. When it is done, there is a drift report."),
        use_case=use_case,
        title=_("Compare newer data"),
        lead=_("What the model sees now. Rows are counted where they are and never kept."),
        submit=_("Compare it"),
        cancel_url=reverse("monitoring:drift", args=[key]),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def terms(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change what later comparisons hold against."""
    profile = _find(request, pk)
    allow(request, profile.use_case, CONFIGURE)
    form = TermsForm(request.POST or None, reference=profile)
    return form_page(
        request,
        form,
        lambda: services.agree_terms(reference=profile, changes=form.changes(), by=person_of(request)),
        done=_url,
        said=_("Agreed. Reports from now on are made by these terms; earlier ones stay as they are."),
        use_case=profile.use_case,
        title=_("Terms of %(name)s") % {"name": profile.name},
        submit=_("Save the terms"),
        cancel_url=_url(profile),
    )


@require_POST
@login_required
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _done(request, pk, services.cancel_profile, _("Cancelled."))


@require_POST
@login_required
def retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _done(request, pk, services.retry_profile, _("It is tried again."))


@require_POST
@login_required
def compare(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _done(request, pk, services.compare_again, _("Compared again by the terms of today."))


def _done(request: HttpRequest, pk: UUID, call: Callable[..., DataProfile], said: str) -> HttpResponse:
    profile = _find(request, pk)
    allow(request, profile.use_case, CONFIGURE)
    tried(request, lambda: call(profile=profile, by=person_of(request)), said)
    return go(request, _url(profile))


def _find(request: HttpRequest, pk: UUID) -> DataProfile:
    rows = DataProfile.objects.select_related("use_case__unit", "version", "source", "reference", "requested_by")
    return find(request, rows.defer("reference__body"), pk)


def _url(profile: DataProfile) -> str:
    return reverse("monitoring:profile", args=[profile.pk])
