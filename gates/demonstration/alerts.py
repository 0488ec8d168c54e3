"""Alerts that people see to: one acknowledged, one snoozed, one reported as an incident with its post-mortem."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from accounts.people import holders
from governance import services as governance
from monitoring import services
from monitoring.models import Alert
from portfolio.models import UseCase

HAPPENED = (
    "06:04 the daily value of the metric fell below its act limit.\n\n06:05 the technical lead was told.\n\n"
    "07:20 operations switched the affected region to manual work.\n\n"
    "11:40 the supplier confirmed that a field is coded differently."
)
WHY = "The supplier changed the coding of one field. Nothing checked the codes before the model read them."
CHANGES = "Check incoming codes against the agreed list\n\nA value outside the list stops the feed and opens an alert."


def see_to_alerts() -> None:
    """The newest warnings and breaches of different use cases, each answered in another way."""
    warnings = _of_different_use_cases(Alert.Level.WARN)
    breaches = _of_different_use_cases(Alert.Level.ACT)
    if warnings:
        _look_into(warnings[0])
    if len(warnings) > 1:
        _rest(warnings[1])
    if breaches:
        _report(breaches[-1])


def _of_different_use_cases(level: str) -> list[Alert]:
    rows = Alert.objects.filter(level=level, state=Alert.AlertState.OPEN).select_related(
        "series__use_case__unit", "rule"
    )
    return list({alert.series.use_case_id: alert for alert in rows.order_by("opened_at", "pk")}.values())


def _look_into(alert: Alert) -> None:
    lead = _one("technical_lead", alert.series.use_case)
    if lead is None:
        return
    services.acknowledge_alert(alert=alert, by=lead)
    services.assign_alert(alert=alert, to=lead, by=lead)
    text = "The two largest branches moved to the new form on Monday. I compare their inputs with the reference."
    services.comment_on_alert(alert=Alert.objects.get(pk=alert.pk), text=text, by=lead)


def _rest(alert: Alert) -> None:
    lead = _one("technical_lead", alert.series.use_case)
    if lead is not None:
        until = timezone.now() + timedelta(days=3)
        reason = "The supplier delivers the missing codes on Thursday; until then the value is expected."
        services.snooze_alert(alert=alert, until=until, reason=reason, by=lead)


def _report(alert: Alert) -> None:
    use_case = alert.series.use_case
    lead, risk = _one("technical_lead", use_case), _one("risk_compliance", use_case)
    if lead is None or risk is None:
        return
    services.assign_alert(alert=alert, to=lead, by=lead)
    incident = services.report_alert(alert=Alert.objects.get(pk=alert.pk), by=lead)
    governance.write_post_mortem(
        incident=incident,
        what_happened=HAPPENED,
        causes=["FM-16", "FM-31"],
        why=WHY,
        what_changes=CHANGES,
        owner=lead,
        due_on=timezone.localdate() + timedelta(days=21),
        by=lead,
    )


def _one(role: str, use_case: UseCase) -> User | None:
    return next(iter(holders(role=role, use_case=use_case)), None)
