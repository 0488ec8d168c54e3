"""One alert: what happened, who is on it, what was decided."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import actions_on
from kernel.htmx import render
from monitoring import services
from monitoring.escalation import overdue
from monitoring.forms.alert_care import CommentForm
from monitoring.models import Alert
from monitoring.selectors.alert_story import runbook_of, told
from monitoring.views.common import find_alert, go
from monitoring.wording import limit_text, series_name, with_unit
from portfolio.views.common import address, allow, person_of


@require_safe
@login_required
def page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The alert with its chart and its history."""
    alert = find_alert(request, pk)
    user = person_of(request)
    allowed = actions_on(user, alert.series.use_case)
    is_over = alert.state == Alert.AlertState.RESOLVED
    tends = "alert.acknowledge" in allowed and not is_over
    context = {
        "alert": alert,
        "series": alert.series,
        "use_case": alert.series.use_case,
        "name": series_name(alert.series),
        "facts": _facts(alert),
        "times": _times(alert),
        "times_by": alert.response_unit or alert.get_response_by_display(),
        "times_url": _times_url(alert),
        "events": told(alert),
        "comments": alert.comments.select_related("author"),
        "runbook": runbook_of(alert),
        "data_url": f"{reverse('monitoring:series_data', args=[alert.series_id])}?range=7d",
        "may_tend": tends,
        "may_comment": "alert.acknowledge" in allowed,
        "may_acknowledge": alert.state == Alert.AlertState.OPEN and tends,
        "is_mine": alert.assigned_to_id == user.pk,
        "may_report": alert.incident_id is None and "incident.report" in allowed,
        "owes_decision": alert.level == Alert.Level.ACT and not alert.outcome,
        "may_decide": alert.level == Alert.Level.ACT and not alert.outcome and "breach.decide" in allowed,
        "is_over": is_over,
        "decide_url": address("gates:breach_decide", alert.pk),
        "comment_form": CommentForm(),
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
    return [
        {"label": _("Value"), "value": with_unit(alert.value, unit), "note": ""},
        {
            "label": _("Limit"),
            "value": limit_text(alert.rule, alert.level, unit) if alert.rule else _("reports in time"),
        },
        {"label": _("Metric"), "value": series_name(alert.series), "url": _series_url(alert)},
        {"label": _("Rule"), "value": alert.rule.name if alert.rule else _("Silence")},
        {"label": _("Severity"), "value": alert.get_severity_display()},
        {"label": _("Seen to by"), "value": str(alert.assigned_to or _("nobody"))},
    ]


def _times(alert: Alert) -> list[dict[str, Any]]:
    """Until when it is to be seen and to be over, and whether that was late."""
    now = timezone.now()
    seen, over = alert.acknowledged_at or alert.resolved_at, alert.resolved_at
    rests = alert.state == Alert.AlertState.SNOOZED
    found = []
    for label, due, done in ((_("To be seen"), alert.acknowledge_by, seen), (_("To be over"), alert.resolve_by, over)):
        if due is None:
            continue
        late = overdue(due, done or now)
        found.append({"label": label, "due": due, "late": bool(late) and not rests, "done": done})
    return found


def _times_url(alert: Alert) -> str:
    """The response times of the unit that gave them, or of the organisation."""
    unit = alert.response_unit
    return reverse("monitoring:responses") + (f"?unit={unit.code}" if unit else "")


def _url(alert: Alert) -> str:
    return reverse("monitoring:alert", args=[alert.pk])


def _series_url(alert: Alert) -> str:
    return reverse("monitoring:series", args=[alert.series_id])
