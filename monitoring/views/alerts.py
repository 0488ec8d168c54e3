"""One alert: what happened, who is on it, what was decided."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import actions_on
from kernel.htmx import render
from monitoring import services
from monitoring.models import Alert
from monitoring.views.common import find_alert, go
from monitoring.wording import limit_text, series_name, with_unit
from portfolio.views.common import address, allow, person_of


@require_safe
@login_required
def page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The alert with its chart and its history."""
    alert = find_alert(request, pk)
    allowed = actions_on(person_of(request), alert.series.use_case)
    is_over = alert.state == Alert.AlertState.RESOLVED
    context = {
        "alert": alert,
        "series": alert.series,
        "use_case": alert.series.use_case,
        "name": series_name(alert.series),
        "facts": _facts(alert),
        "events": _events(alert),
        "data_url": f"{reverse('monitoring:series_data', args=[alert.series_id])}?range=7d",
        "may_acknowledge": alert.state == Alert.AlertState.OPEN and "alert.acknowledge" in allowed,
        "owes_decision": alert.level == Alert.Level.ACT and not alert.outcome,
        "may_decide": alert.level == Alert.Level.ACT and not alert.outcome and "breach.decide" in allowed,
        "is_over": is_over,
        "decide_url": address("gates:breach_decide", alert.pk),
    }
    return render(request, "monitoring/alert.html", context, partial="alert")


@require_POST
@login_required
def acknowledge(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say that it was seen."""
    alert = find_alert(request, pk)
    allow(request, alert.series.use_case, "alert.acknowledge")
    services.acknowledge_alert(alert=alert, by=person_of(request))
    messages.success(request, _("Acknowledged: others see that you are looking into it."))
    return go(request, _url(alert))


def _facts(alert: Alert) -> list[dict[str, Any]]:
    unit = alert.series.unit
    facts = [
        {"label": _("Value"), "value": with_unit(alert.value, unit), "note": ""},
        {
            "label": _("Limit"),
            "value": limit_text(alert.rule, alert.level, unit) if alert.rule else _("reports in time"),
        },
        {"label": _("Metric"), "value": series_name(alert.series), "url": _series_url(alert)},
        {"label": _("Rule"), "value": alert.rule.name if alert.rule else _("Silence")},
    ]
    if alert.rule and alert.rule.reaction:
        facts.append({"label": _("What is to be done"), "value": alert.rule.reaction})
    return facts


def _events(alert: Alert) -> list[dict[str, Any]]:
    """What happened to it, newest first."""
    at_once = alert.act_since is not None and alert.act_since - alert.opened_at < timedelta(seconds=1)
    opened = _("Opened as a breach") if at_once else _("Opened")
    tone = "blocked" if at_once else "attention"
    events: list[dict[str, Any]] = [{"text": opened, "at": alert.opened_at, "icon": "alert", "tone": tone}]
    if alert.act_since and not at_once:
        events.append({"text": _("Became a breach"), "at": alert.act_since, "icon": "error", "tone": "blocked"})
    if alert.acknowledged_at:
        events.append(
            {
                "text": _("Acknowledged"),
                "at": alert.acknowledged_at,
                "icon": "eye",
                "tone": "info",
                "person": alert.acknowledged_by,
            }
        )
    if alert.decided_at:
        events.append(
            {
                "text": _("Decided: %(outcome)s") % {"outcome": alert.get_outcome_display()},
                "at": alert.decided_at,
                "icon": "sign",
                "tone": "info",
                "person": alert.decided_by,
                "note": alert.outcome_reason,
            }
        )
    if alert.resolved_at:
        events.append({"text": _("Over"), "at": alert.resolved_at, "icon": "check-circle", "tone": "met"})
    return sorted(events, key=lambda event: event["at"], reverse=True)


def _url(alert: Alert) -> str:
    return reverse("monitoring:alert", args=[alert.pk])


def _series_url(alert: Alert) -> str:
    return reverse("monitoring:series", args=[alert.series_id])
