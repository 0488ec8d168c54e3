"""Seeing to alerts: assigned, rested, commented on, ended by hand, reported; by services and over REST."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from governance.models import Incident
from kernel.errors import Conflict, Invalid
from ledger import SYSTEM
from ledger.models import Event
from monitoring import escalation, judging, services
from monitoring.models import Alert
from notify.models import Notice
from tests.factories.accounts import PersonFactory, api_as, give, person_with
from tests.factories.monitoring import AlertFactory, RuleFactory, SeriesFactory, points
from tests.factories.portfolio import organisation

pytestmark = pytest.mark.django_db
TOMORROW = timedelta(days=1)


def lead_of(alert: Alert) -> Any:
    return person_with("technical_lead", alert.series.use_case)


def actions(alert: Alert) -> list[str]:
    return list(Event.objects.filter(subject_id=str(alert.pk)).order_by("index").values_list("action", flat=True))


def broken(**rule: Any) -> Alert:
    """An alert whose newest value is still beyond the limit."""
    made = RuleFactory.create(**rule)
    points(made.series, [0.84])
    judging.judge([made.series.pk])
    return Alert.objects.select_related("series__use_case__unit", "rule").get()


# -- Opening ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tier", "value", "severity", "hours"),
    [("high", 0.7, "critical", 1), ("high", 0.84, "medium", 4), ("limited", 0.7, "high", 4), ("", 0.7, "critical", 1)],
)
def test_severity_and_times_follow_tier_and_level(tier: str, value: float, severity: str, hours: int) -> None:
    rule = RuleFactory.create(series=SeriesFactory.create(use_case__tier=tier))
    points(rule.series, [value])
    judging.judge([rule.series.pk])
    alert = Alert.objects.get()
    assert alert.severity == severity
    assert alert.acknowledge_by is not None
    assert alert.clock_from is not None
    assert alert.acknowledge_by - alert.clock_from == timedelta(hours=hours)


# -- Snoozing --------------------------------------------------------------------------------------------------------


def test_a_snoozed_alert_stays_unresolved_and_says_why() -> None:
    alert = AlertFactory.create()
    lead = lead_of(alert)
    snoozed = services.snooze_alert(alert=alert, until=timezone.now() + TOMORROW, reason="Migration.", by=lead)
    assert (snoozed.state, snoozed.snoozed_by, snoozed.snooze_reason) == ("snoozed", lead, "Migration.")
    assert actions(alert) == ["alert.snoozed"]
    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.update(snoozed_until=None)


@pytest.mark.parametrize(
    ("ahead", "reason", "field"),
    [(timedelta(hours=-1), "x", "until"), (timedelta(days=91), "x", "until"), (TOMORROW, "  ", "reason")],
)
def test_a_rest_has_an_end_in_sight_and_a_reason(ahead: timedelta, reason: str, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        services.snooze_alert(alert=AlertFactory.create(), until=timezone.now() + ahead, reason=reason, by=SYSTEM)
    assert field in caught.value.errors


def test_it_wakes_up_by_itself_once_and_its_time_begins_anew() -> None:
    alert = AlertFactory.create()
    lead = lead_of(alert)
    services.snooze_alert(alert=alert, until=timezone.now() + TOMORROW, reason="Migration.", by=lead)
    assert escalation.wake_snoozed() == 0
    assert escalation.wake_snoozed(at=timezone.now() + 2 * TOMORROW) == 1
    assert escalation.wake_snoozed(at=timezone.now() + 2 * TOMORROW) == 0
    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_at) == ("open", None)
    assert alert.acknowledge_by is not None
    assert alert.acknowledge_by > timezone.now()
    assert list(Notice.objects.filter(kind="alert.woke").values_list("recipient", flat=True)) == [lead.pk]


def test_it_wakes_up_at_once_when_it_becomes_a_breach() -> None:
    alert = broken()
    services.snooze_alert(alert=alert, until=timezone.now() + TOMORROW, reason="Known.", by=SYSTEM)
    points(alert.series, [0.83])
    judging.judge([alert.series_id])
    assert Alert.objects.get().state == "snoozed"
    points(alert.series, [0.5])
    judging.judge([alert.series_id])
    raised = Alert.objects.get()
    assert (raised.state, raised.level, raised.snoozed_until, raised.severity) == ("open", "act", None, "critical")


def test_a_snoozed_alert_ends_with_its_values() -> None:
    alert = broken()
    services.snooze_alert(alert=alert, until=timezone.now() + TOMORROW, reason="Known.", by=SYSTEM)
    points(alert.series, [0.95])
    judging.judge([alert.series_id])
    assert Alert.objects.get().state == "resolved"


def test_somebody_wakes_it_before_the_time() -> None:
    alert = AlertFactory.create()
    with pytest.raises(Conflict):
        services.wake_alert(alert=alert, by=SYSTEM)
    services.snooze_alert(alert=alert, until=timezone.now() + TOMORROW, reason="Known.", by=SYSTEM)
    assert services.wake_alert(alert=alert, by=lead_of(alert)).state == "open"


# -- Assigning, commenting -------------------------------------------------------------------------------------------


def test_whoever_may_acknowledge_can_see_to_it_and_is_told() -> None:
    alert = AlertFactory.create()
    lead, owner = lead_of(alert), person_with("business_owner", alert.series.use_case)
    assert services.assign_alert(alert=alert, to=owner, by=lead).assigned_to == owner
    assert list(Notice.objects.filter(kind="alert.assigned").values_list("recipient", flat=True)) == [owner.pk]
    services.assign_alert(alert=alert, to=owner, by=lead)
    assert services.assign_alert(alert=alert, to=None, by=lead).assigned_to is None
    assert actions(alert) == ["alert.assigned", "alert.assigned"]
    for stranger in (PersonFactory.create(), person_with("auditor", alert.series.use_case)):
        with pytest.raises(Invalid):
            services.assign_alert(alert=alert, to=stranger, by=lead)


def test_a_comment_stays_and_those_concerned_are_told() -> None:
    alert = AlertFactory.create()
    lead, owner = lead_of(alert), person_with("business_owner", alert.series.use_case)
    services.assign_alert(alert=alert, to=owner, by=lead)
    comment = services.comment_on_alert(alert=Alert.objects.get(), text=" The feed was late. ", by=lead)
    assert comment.text == "The feed was late."
    assert list(Notice.objects.filter(kind="alert.commented").values_list("recipient", flat=True)) == [owner.pk]
    with pytest.raises(Invalid):
        services.comment_on_alert(alert=alert, text=" ", by=lead)


def test_who_may_only_look_does_nothing() -> None:
    alert = AlertFactory.create()
    auditor = person_with("auditor", alert.series.use_case)
    for call in (
        lambda: services.snooze_alert(alert=alert, until=timezone.now() + TOMORROW, reason="x", by=auditor),
        lambda: services.assign_alert(alert=alert, to=None, by=auditor),
        lambda: services.resolve_alert(alert=alert, reason="x", by=auditor),
        lambda: services.comment_on_alert(alert=alert, text="x", by=auditor),
        lambda: services.wake_alert(alert=alert, by=auditor),
    ):
        with pytest.raises(PermissionDenied):
            call()


# -- Ending by hand --------------------------------------------------------------------------------------------------


def test_a_broken_rule_is_not_ended_by_hand() -> None:
    alert = broken()
    with pytest.raises(Conflict, match=r"still broken: F1 score is 0\.84"):
        services.resolve_alert(alert=alert, reason="Enough.", by=lead_of(alert))


def test_between_the_limit_and_the_end_it_may_be_ended_and_does_not_come_back() -> None:
    alert = broken(clear=0.9)
    points(alert.series, [0.86])
    judging.judge([alert.series_id])
    assert Alert.objects.get().state == "open"
    lead = lead_of(alert)
    ended = services.resolve_alert(alert=alert, reason="Back to normal.", by=lead)
    assert (ended.state, ended.resolved_by, ended.resolution) == ("resolved", lead, "Back to normal.")
    judging.judge([alert.series_id])
    assert Alert.objects.count() == 1
    with pytest.raises(Conflict):
        services.resolve_alert(alert=alert, reason="Again.", by=lead)


def test_silence_ends_by_hand_only_when_it_is_over() -> None:
    series = SeriesFactory.create(
        use_case__stage="operations", silent_after=timezone.now() - timedelta(hours=1), expected_every_seconds=3600
    )
    alert = AlertFactory.create(rule=None, series=series)
    with pytest.raises(Conflict, match="still silent"):
        services.resolve_alert(alert=alert, reason="x", by=SYSTEM)
    series.silent_after = timezone.now() + TOMORROW
    series.save(update_fields=["silent_after"])
    assert services.resolve_alert(alert=alert, reason="It reports.", by=SYSTEM).state == "resolved"


# -- Incidents -------------------------------------------------------------------------------------------------------


def test_an_incident_is_filled_in_from_the_alert_and_linked_once() -> None:
    alert = broken(reaction="Call the lead.")
    incident = services.report_alert(alert=alert, by=lead_of(alert))
    assert (incident.title, incident.severity) == (alert.message, "sev3")
    assert "Call the lead." in incident.description
    assert incident.detected_at == alert.opened_at
    assert incident.occurred_at <= alert.opened_at
    assert list(incident.alerts.all()) == [alert]
    with pytest.raises(Conflict):
        services.report_alert(alert=alert, by=SYSTEM)
    with pytest.raises(PermissionDenied):
        services.report_alert(alert=AlertFactory.create(), by=PersonFactory.create())
    assert Incident.objects.count() == 1


# -- Escalation ------------------------------------------------------------------------------------------------------


def told(kind: str) -> list[Any]:
    return sorted(Notice.objects.filter(kind=kind).values_list("recipient__full_name", flat=True))


def late_alert() -> Alert:
    rule = RuleFactory.create(series=SeriesFactory.create(use_case__tier="high"))
    for role in ("technical_lead", "it_operations", "business_owner", "business_sponsor", "risk_compliance"):
        give(PersonFactory.create(full_name=role), role, rule.series.use_case)
    points(rule.series, [0.5])
    judging.judge([rule.series.pk])
    return Alert.objects.get()


def test_nobody_is_told_before_the_time() -> None:
    late_alert()
    assert escalation.chase_late() == 0
    assert escalation.chase_late(at=timezone.now() + timedelta(minutes=59)) == 0


def test_some_are_told_at_the_time_and_others_at_twice_the_time_each_once() -> None:
    alert = late_alert()
    first, second = timezone.now() + timedelta(minutes=61), timezone.now() + timedelta(minutes=121)
    assert escalation.chase_late(at=first) == 1
    assert escalation.chase_late(at=first) == 0
    assert told("alert.late") == ["business_owner", "it_operations", "technical_lead"]
    assert told("alert.escalated") == []
    assert escalation.chase_late(at=second) == 1
    assert escalation.chase_late(at=second) == 0
    assert told("alert.escalated") == ["business_sponsor", "risk_compliance"]
    assert actions(alert) == ["alert.opened", "alert.late", "alert.escalated"]


def test_a_sweep_that_was_away_for_long_tells_both_at_once() -> None:
    late_alert()
    assert escalation.chase_late(at=timezone.now() + timedelta(hours=7)) == 2
    assert escalation.chase_late(at=timezone.now() + timedelta(hours=7)) == 0
    assert (len(told("alert.late")), len(told("alert.escalated"))) == (3, 2)


def test_an_acknowledged_alert_is_chased_for_its_end_alone_and_a_snoozed_one_not_at_all() -> None:
    alert = late_alert()
    services.acknowledge_alert(alert=alert, by=SYSTEM)
    assert escalation.chase_late(at=timezone.now() + timedelta(hours=7)) == 0
    assert escalation.chase_late(at=timezone.now() + timedelta(hours=9)) == 1
    Alert.objects.update(resolve_told=0)
    services.snooze_alert(alert=alert, until=timezone.now() + timedelta(days=3), reason="Known.", by=SYSTEM)
    assert escalation.chase_late(at=timezone.now() + timedelta(hours=9)) == 0


def test_two_workers_never_both_tell() -> None:
    alert = late_alert()
    moment = timezone.now() + timedelta(minutes=61)
    duty = escalation.DUTIES[0]
    assert [escalation._claim(alert.pk, duty, 1, moment) for _worker in range(2)] == [True, False]


def test_response_times_are_set_and_reset_by_whoever_may_change_settings() -> None:
    given: dict[str, Any] = {
        "tier": "high",
        "level": "act",
        "severity": "high",
        "acknowledge_minutes": 5,
        "resolve_minutes": 60,
        "told_first": ["technical_lead"],
        "told_next": ["business_owner"],
    }
    admin = person_with("system_admin", organisation())
    assert services.set_response(**given, by=admin).acknowledge == timedelta(minutes=5)
    alert = late_alert()
    assert alert.severity == "high"
    assert escalation.chase_late(at=timezone.now() + timedelta(minutes=6)) == 1
    assert told("alert.late") == ["technical_lead"]
    assert services.reset_response(tier="high", level="act", by=admin).acknowledge == timedelta(hours=1)
    with pytest.raises(PermissionDenied):
        services.set_response(**given, by=PersonFactory.create())
    for wrong in ({"resolve_minutes": 1}, {"told_first": ["nobody"]}, {"severity": "odd"}, {"acknowledge_minutes": 0}):
        with pytest.raises(Invalid):
            services.set_response(**{**given, **wrong}, by=admin)


# -- REST ------------------------------------------------------------------------------------------------------------


def test_everything_is_done_over_rest_too() -> None:
    alert = broken(clear=0.9)
    use_case = alert.series.use_case
    lead, owner = lead_of(alert), person_with("business_owner", use_case)
    client = api_as(lead)
    base = f"/api/v1/alerts/{alert.pk}"

    def post(verb: str, **given: Any) -> Any:
        return client.post(f"{base}/{verb}/", given, format="json")

    until = (timezone.now() + TOMORROW).isoformat()
    assert post("assign", to=str(owner.pk)).json()["assigned_to"] == str(owner.pk)
    assert post("assign", to=str(use_case.pk)).status_code == 422
    assert post("snooze", until=until, reason="Known.").json()["state"] == "snoozed"
    assert post("snooze", until="2020-01-01T00:00:00Z", reason="x").status_code == 422
    assert post("wake").json()["state"] == "open"
    assert post("wake").status_code == 409
    assert post("comment", text="Looking.").status_code == 201
    assert [row["text"] for row in client.get(f"{base}/comments/").json()] == ["Looking."]
    assert post("incident").json()["incident"] == str(Incident.objects.get().pk)
    assert post("incident").status_code == 409
    assert post("resolve", reason="x").status_code == 409
    points(alert.series, [0.87])
    assert post("resolve", reason="Settled.").json()["state"] == "resolved"


@pytest.mark.parametrize("verb", ["snooze", "wake", "assign", "resolve", "comment", "comments", "incident"])
def test_verbs_are_for_insiders(verb: str) -> None:
    alert = AlertFactory.create()
    address = f"/api/v1/alerts/{alert.pk}/{verb}/"
    payloads: dict[str, dict[str, Any]] = {
        "snooze": {"until": (timezone.now() + TOMORROW).isoformat(), "reason": "x"},
        "assign": {"to": None},
        "resolve": {"reason": "x"},
        "comment": {"text": "x"},
    }
    given = payloads.get(verb, {})
    outsider, anonymous = api_as(PersonFactory.create()), APIClient()
    for client, status in ((outsider, 404), (anonymous, 401)):
        answer = client.get(address) if verb == "comments" else client.post(address, given, format="json")
        assert answer.status_code == status
    if verb not in {"comments", "incident"}:
        auditor = api_as(person_with("auditor", alert.series.use_case))
        assert auditor.post(address, given, format="json").status_code == 403


def test_the_list_is_filtered_and_asks_a_constant_number_of_questions() -> None:
    alert = AlertFactory.create(severity="critical")
    use_case = alert.series.use_case
    client = api_as(lead_of(alert))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/api/v1/alerts/").status_code == 200
        return len(captured)

    queries()  # the first notes that the key was used
    before = queries()
    for number in range(5):
        AlertFactory.create(series=SeriesFactory.create(use_case=use_case, segment=str(number)))
    assert queries() == before

    def count(query: str) -> int:
        return len(client.get(f"/api/v1/alerts/?{query}").json()["results"])

    assert count("severity=critical") == 1
    assert count("unassigned=true") == 6
    assert count("late=true") == 0
    Alert.objects.filter(pk=alert.pk).update(acknowledge_by=timezone.now() - TOMORROW)
    assert count("late=true") == 1
    assert count(f"unit={use_case.unit.path}") == 6
    assert count("unit=/elsewhere/") == 0
