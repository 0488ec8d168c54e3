"""Lists: the systems that are watched, the alert inbox, the sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.access import for_user
from kernel.htmx import render
from kernel.tables import Column, TableState, export_rows
from monitoring.forms.filters import SourceFilterForm, SystemFilter
from monitoring.models import Source
from monitoring.selectors.overview import alert_ages, numbers, watched
from monitoring.selectors.source_health import breaker, lag_seconds, with_silence
from monitoring.views.common import VIEW
from portfolio.models import UseCase
from portfolio.selectors.listing import ranked
from portfolio.views.common import person_of

SYSTEMS: Sequence[Column] = (
    Column("name", gettext_lazy("Use case"), "name", value=lambda row: row.name),
    Column("key", gettext_lazy("Key"), "key", choosable=True, shown=False),
    Column("unit", gettext_lazy("Unit"), "unit__name", value=lambda row: row.unit.name, choosable=True, shown=False),
    Column("stage", gettext_lazy("Stage"), ("stage_rank", "name"), value=lambda row: row.get_stage_display()),
    Column(
        "assurance",
        gettext_lazy("Assurance"),
        ("assurance_rank", "name"),
        largest_first=True,
        value=lambda row: row.get_assurance_display(),
    ),
    Column("acts", gettext_lazy("Breaches"), ("acts", "warns"), numeric=True, largest_first=True),
    Column("warns", gettext_lazy("Warnings"), ("warns", "acts"), numeric=True, largest_first=True),
    Column("silent", gettext_lazy("Silent"), "silent", numeric=True, largest_first=True),
    Column("failing", gettext_lazy("Failing sources"), "failing", numeric=True, largest_first=True),
    Column("series", gettext_lazy("Series"), "series_count", numeric=True, value=lambda row: row.series_count),
    Column("newest", gettext_lazy("Newest value"), "newest", largest_first=True),
)
SOURCES: Sequence[Column] = (
    Column("name", gettext_lazy("Source"), "name"),
    Column(
        "use_case",
        gettext_lazy("Use case"),
        "use_case__name",
        value=lambda row: f"{row.use_case.key} {row.use_case.name}",
    ),
    Column("health", gettext_lazy("Health"), ("health", "name"), value=lambda row: row.get_health_display()),
    Column(
        "every",
        gettext_lazy("Pulled every (s)"),
        "every_seconds",
        numeric=True,
        value=lambda r: r.every_seconds,
        choosable=True,
        shown=False,
    ),
    Column(
        "success",
        gettext_lazy("Last success"),
        "last_success_at",
        largest_first=True,
        value=lambda r: r.last_success_at,
    ),
    Column("watermark", gettext_lazy("Newest point"), "watermark", largest_first=True, choosable=True, shown=False),
    # The oldest newest point lags most, so that the sort of the column is the other way round.
    Column(
        "lag", gettext_lazy("Lag (s)"), "watermark", numeric=True, value=lambda row: lag_seconds(row, timezone.now())
    ),
    Column("next", gettext_lazy("Next pull"), "next_due_at", value=lambda r: r.next_due_at if r.enabled else None),
    Column(
        "breaker",
        gettext_lazy("Breaker"),
        ("failures", "name"),
        largest_first=True,
        value=lambda row: breaker(row, timezone.now()),
    ),
    Column(
        "silent",
        gettext_lazy("Silent series"),
        "silent",
        numeric=True,
        largest_first=True,
        value=lambda row: row.silent,
    ),
    Column("connector", gettext_lazy("Connector"), ("connector", "name"), choosable=True, shown=False),
    Column("error", gettext_lazy("Last error"), value=lambda row: row.last_error, choosable=True, shown=False),
)


@require_safe
@login_required
def index(request: HttpRequest) -> HttpResponseBase:
    """The systems that are watched, the ones in trouble first."""
    user = person_of(request)
    table: TableState[UseCase] = TableState.from_request(request, columns=SYSTEMS, default_sort="-acts")
    form = SystemFilter(request.GET)
    rows = form.apply(ranked(watched(user)), user)
    if table.export_format:
        return export_rows(table.export_format, "monitoring", table.columns, table.order(rows).iterator(1000))
    found = numbers(user)
    context = {
        "table": table.paginate(rows),
        "form": form,
        "chips": form.chips(request),
        "stats": _stats(found),
        "ages": alert_ages(found),
        "has_alerts": bool(found["acts"] or found["warns"]),
        "tabs": section_tabs("index"),
    }
    return render(request, "monitoring/index.html", context, partial="table")


@require_safe
@login_required
def sources(request: HttpRequest) -> HttpResponseBase:
    """Where metrics are pulled from, and how that goes."""
    user = person_of(request)
    table: TableState[Source] = TableState.from_request(request, columns=SOURCES, default_sort="name")
    form = SourceFilterForm(request.GET)
    rows = form.apply(with_silence(for_user(Source.objects.select_related("use_case"), user, VIEW)), user)
    if table.export_format:
        return export_rows(table.export_format, "sources", table.columns, table.order(rows).iterator(1000))
    context = {
        "table": table.paginate(rows),
        "form": form,
        "chips": form.chips(request),
        "tabs": section_tabs("sources"),
        "now": timezone.now(),
    }
    return render(request, "monitoring/sources.html", context, partial="table")


def section_tabs(current: str) -> list[dict[str, Any]]:
    """The parts of monitoring; ``current`` is the name of one's address."""
    found = (
        ("index", _("Systems"), "pulse"),
        ("alerts", _("Alerts"), "alert"),
        ("retraining", _("Retraining"), "refresh"),
        ("sources", _("Sources"), "data"),
        ("output_queue", _("Output review"), "eye"),
        ("dashboards", _("Dashboards"), "board"),
        ("comparisons", _("Comparisons"), "scale"),
    )
    return [
        {"label": label, "icon": icon, "url": reverse(f"monitoring:{name}"), "current": name == current}
        for name, label, icon in found
    ]


def _stats(found: dict[str, int]) -> list[dict[str, Any]]:
    systems, inbox = reverse("monitoring:index"), reverse("monitoring:alerts")
    rows: list[tuple[str, str, str, str, str]] = [
        ("systems", _("Systems watched"), systems, "", ""),
        ("in_force", _("In force"), f"{systems}?assurance=in_force", "", ""),
        ("at_risk", _("At risk"), f"{systems}?assurance=at_risk", "attention", "warning"),
        ("reapproval", _("Re-approval required"), f"{systems}?assurance=reapproval_required", "blocked", "return"),
        ("acts", _("Open breaches"), f"{inbox}?level=act", "blocked", "error"),
        ("warns", _("Open warnings"), f"{inbox}?level=warn", "attention", "warning"),
        ("owed", _("Decisions owed"), f"{inbox}?owed=on", "attention", "hourglass"),
        ("silent", _("Silent series"), f"{systems}?attention=silent", "attention", "eye-off"),
        ("failing", _("Failing sources"), f"{systems}?attention=source", "attention", "data"),
    ]
    return [
        {
            "label": label,
            "value": found[key],
            "url": url,
            "tone": tone if found[key] else "",
            "icon": icon if found[key] else "",
        }
        for key, label, url, tone, icon in rows
    ]
