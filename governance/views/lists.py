"""The register: use cases by tier and classification, and the lists of what governance holds, all exportable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.access import for_user
from governance.forms import filters
from governance.models import Document, Evidence, Incident, Issue
from governance.selectors import visible_datasets, with_governance
from kernel.exports import export_rows
from kernel.htmx import render
from kernel.tables import Column, TableState
from portfolio.models import UseCase
from portfolio.views.common import person_of

TABS = (
    ("index", _("Use cases")),
    ("evidence_list", _("Evidence")),
    ("document_list", _("Documents")),
    ("issue_list", _("Issues")),
    ("incident_list", _("Incidents")),
    ("dataset_list", _("Datasets")),
)
USE_CASE = Column(
    "use_case", _("Use case"), "use_case__key", value=lambda row: f"{row.use_case.key} {row.use_case.name}"
)


def classification_word(row: Any) -> str:
    """none, provisional, unconfirmed or confirmed: of a row of ``with_governance``."""
    if row.confirmed:
        return "confirmed"
    if row.provisional:
        return "provisional"
    return "unconfirmed" if row.classified else "none"


REGISTER = (
    Column("key", _("Use case"), "key", value=lambda row: row.key),
    Column("name", _("Name"), value=lambda row: row.name, choosable=True, shown=False),
    Column("tier", _("Tier"), "tier"),
    Column("classification", _("Classification"), "confirmed", value=classification_word),
    Column("stage", _("Stage"), "stage"),
    Column("unit", _("Unit"), "unit__path", value=lambda row: row.unit.name),
    Column("open_issues", _("Open issues"), "open_issues", numeric=True, largest_first=True),
    Column("open_incidents", _("Open incidents"), "open_incidents", numeric=True, largest_first=True),
    Column("expiring", _("Evidence ending"), "expiring", numeric=True, largest_first=True),
)
EVIDENCE = (
    Column("title", _("Evidence"), "title"),
    USE_CASE,
    Column("criterion", _("Criterion"), "criterion"),
    Column("kind", _("Kind"), "kind"),
    Column("valid_until", _("Valid until"), "valid_until"),
    Column("verified_by", _("Verified by"), "verified_by__full_name"),
    Column("added", _("Added"), "added_at", largest_first=True, value=lambda row: row.added_at),
    Column("added_by", _("Added by"), "added_by__full_name", choosable=True),
    Column("sha256", _("SHA-256"), choosable=True, shown=False),
)
DOCUMENTS = (
    Column("title", _("Document"), "title"),
    USE_CASE,
    Column("doc_type", _("Type"), "doc_type"),
    Column("revision", _("Revision"), "revision", numeric=True),
    Column("status", _("Status"), "status"),
    Column("written", _("Written"), "written_at", largest_first=True, value=lambda row: row.written_at),
    Column("written_by", _("Written by"), "written_by__full_name"),
)
ISSUES = (
    Column("title", _("Issue"), "title"),
    USE_CASE,
    Column("kind", _("Kind"), "kind"),
    Column("severity", _("Severity"), "severity"),
    Column("state", _("State"), ("state", "-due_on"), largest_first=True),
    Column("owner", _("Owner"), "owner__full_name"),
    Column("due_on", _("Due"), "due_on"),
)
INCIDENTS = (
    Column("title", _("Incident"), "title"),
    USE_CASE,
    Column("severity", _("Severity"), "severity"),
    Column("occurred", _("Happened"), "occurred_at", largest_first=True, value=lambda row: row.occurred_at),
    Column("restored", _("Restored"), "restored_at", value=lambda row: row.restored_at),
    Column("closed", _("Closed"), "closed_at", value=lambda row: row.closed_at),
)
DATASETS = (
    Column("name", _("Dataset"), "name"),
    Column("unit", _("Unit"), "unit__path", value=lambda row: row.unit.name),
    Column("sensitivity", _("Sensitivity"), "sensitivity"),
    Column("certified", _("Certified"), "certified_at", value=lambda row: row.certified_at),
    Column("certified_by", _("Certified by"), "certified_by__full_name"),
    Column("until", _("Until"), "certified_until", value=lambda row: row.certified_until),
)


@require_safe
@login_required
def index(request: HttpRequest) -> HttpResponseBase:
    """Every visible use case with its tier, how it was classified, and what is open."""
    rows = with_governance(for_user(UseCase.objects.select_related("unit"), person_of(request), "use_case.view"))
    found = filters.RegisterFilter(request.GET, queryset=rows, request=request)
    return _page(request, found, REGISTER, "key", row="governance/parts/register_row.html", stats=_stats(request))


@require_safe
@login_required
def evidence_list(request: HttpRequest) -> HttpResponseBase:
    rows = Evidence.objects.select_related("use_case", "added_by", "verified_by")
    found = filters.EvidenceFilter(request.GET, queryset=_seen(request, rows), request=request)
    return _page(request, found, EVIDENCE, "-added", row="governance/parts/evidence_list_row.html")


@require_safe
@login_required
def document_list(request: HttpRequest) -> HttpResponseBase:
    rows = Document.objects.filter(is_current=True).select_related("use_case", "written_by")
    found = filters.DocumentFilter(request.GET, queryset=_seen(request, rows), request=request)
    return _page(request, found, DOCUMENTS, "-written", row="governance/parts/document_row.html")


@require_safe
@login_required
def issue_list(request: HttpRequest) -> HttpResponseBase:
    rows = Issue.objects.select_related("use_case", "owner")
    found = filters.IssueFilter(request.GET, queryset=_seen(request, rows), request=request)
    return _page(request, found, ISSUES, "-state", row="governance/parts/issue_row.html")


@require_safe
@login_required
def incident_list(request: HttpRequest) -> HttpResponseBase:
    rows = Incident.objects.select_related("use_case")
    found = filters.IncidentFilter(request.GET, queryset=_seen(request, rows), request=request)
    return _page(request, found, INCIDENTS, "-occurred", row="governance/parts/incident_row.html")


@require_safe
@login_required
def dataset_list(request: HttpRequest) -> HttpResponseBase:
    found = filters.DatasetFilter(request.GET, queryset=visible_datasets(person_of(request)), request=request)
    return _page(request, found, DATASETS, "name", row="governance/parts/dataset_row.html")


def _page(
    request: HttpRequest,
    found: Any,
    columns: Sequence[Column],
    default_sort: str,
    *,
    row: str,
    stats: list[dict[str, Any]] | None = None,
) -> HttpResponseBase:
    name = request.resolver_match.url_name if request.resolver_match else "index"
    table: TableState[Any] = TableState.from_request(request, columns=columns, default_sort=default_sort)
    valid = found.form.is_valid()
    rows = found.qs if valid else found.queryset.none()
    if table.export_format and valid:
        return export_rows(
            table.export_format, f"governance-{name}", columns, table.order(rows).iterator(chunk_size=500)
        )
    context = {
        "table": table.paginate(rows),
        "form": found.form,
        "chips": _chips(found, table),
        "row_template": row,
        "tabs": [{"label": label, "url": reverse(f"governance:{key}"), "current": key == name} for key, label in TABS],
        "heading": dict(TABS)[str(name)],
        "stats": stats or [],
    }
    return render(request, "governance/list.html", context, partial="table", status=200 if valid else 422)


def _seen(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    return for_user(rows, person_of(request), "use_case.view")


def _chips(found: Any, table: TableState[Any]) -> list[dict[str, str]]:
    return [
        {
            "name": str(field.label),
            "value": str(dict(getattr(field, "choices", [])).get(found.data.get(name), found.data.get(name))),
            "url": table.url(**{name: None}),
        }
        for name, field in found.form.fields.items()
        if found.data.get(name)
    ]


def _stats(request: HttpRequest) -> list[dict[str, Any]]:
    """Numbers that are links to what they count."""
    user = person_of(request)
    use_cases: QuerySet[Any] = with_governance(for_user(UseCase.objects.all(), user, "use_case.view"))
    evidence = filters.EvidenceFilter({"state": "expiring"}, queryset=_seen(request, Evidence.objects.all())).qs
    documents = _seen(request, Document.objects.filter(is_current=True)).exclude(status="approved")
    register = reverse("governance:index")
    return [
        {
            "label": _("Not classified"),
            "value": use_cases.filter(classified=False).count(),
            "url": f"{register}?classification=none",
        },
        {
            "label": _("Waiting for confirmation"),
            "value": use_cases.filter(classified=True, confirmed=False).count(),
            "url": f"{register}?classification=unconfirmed",
        },
        {
            "label": _("Evidence ending in 30 days"),
            "value": evidence.count(),
            "url": f"{reverse('governance:evidence_list')}?state=expiring",
        },
        {
            "label": _("Documents awaiting approval"),
            "value": documents.count(),
            "url": f"{reverse('governance:document_list')}?status=awaiting",
        },
        {
            "label": _("Open issues"),
            "value": _seen(request, Issue.objects.filter(state="open")).count(),
            "url": f"{reverse('governance:issue_list')}?state=open",
        },
        {
            "label": _("Open incidents"),
            "value": _seen(request, Incident.objects.filter(closed_at__isnull=True)).count(),
            "url": f"{reverse('governance:incident_list')}?state=open",
        },
    ]
