"""The alert inbox, the page of an alert and the response times in the browser."""

from __future__ import annotations

import html
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from governance.models import Document, Incident
from monitoring import services
from monitoring.models import Alert
from monitoring.worklist.alerts import MyAlerts, OpenAlerts
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.monitoring import AlertFactory, SeriesFactory, points
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def url(name: str, *args: Any) -> str:
    return reverse(f"monitoring:{name}", args=args)


def as_(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return html.unescape(answer.content.decode())


def alert_on(use_case: Any, message: str, **more: Any) -> Alert:
    series = SeriesFactory.create(use_case=use_case, segment=message)
    alert: Alert = AlertFactory.create(rule__series=series, series=series, message=message, **more)
    return alert


def test_the_inbox_is_divided_by_state_with_numbers_and_narrowed_by_filters() -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    client = as_(lead)
    alert_on(use_case, "Fresh", severity="critical")
    alert_on(use_case, "Seen", state="acknowledged", assigned_to=lead, opened_at=timezone.now() - timedelta(days=3))
    alert_on(use_case, "Resting", state="snoozed", snoozed_until=timezone.now() + timedelta(days=1))
    alert_on(use_case, "Gone", state="resolved", resolved_at=timezone.now())
    alert_on(UseCaseFactory.create(), "Of others")

    def found(query: str) -> set[str]:
        page = shown(client, f"{url('alerts')}{query}")
        return {word for word in ("Fresh", "Seen", "Resting", "Gone", "Of others") if f">{word}</a>" in page}

    assert found("") == {"Fresh", "Seen", "Resting"}
    assert found("?state=open") == {"Fresh"}
    assert found("?state=snoozed") == {"Resting"}
    assert found("?state=resolved") == {"Gone"}
    assert found("?state=any") == {"Fresh", "Seen", "Resting", "Gone"}
    assert found("?severity=critical") == {"Fresh"}
    assert found("?owner=me") == {"Seen"}
    assert found("?owner=nobody") == {"Fresh", "Resting"}
    assert found("?age=week") == {"Seen"}
    assert found(f"?unit={use_case.unit.path}") == {"Fresh", "Seen", "Resting"}
    assert found("?use_case=NONE-1") == set()
    assert found("?q=fresh") == {"Fresh"}
    assert found("?late=on") == set()
    assert found("?severity=nonsense&age=no&sort=odd") == {"Fresh", "Seen", "Resting"}
    Alert.objects.filter(message="Fresh").update(acknowledge_by=timezone.now() - timedelta(minutes=1))
    assert found("?late=on") == {"Fresh"}
    assert "Not seen in time" in shown(client, url("alerts"))


def test_the_inbox_sorts_by_severity_exports_and_asks_a_constant_number_of_questions() -> None:
    use_case = UseCaseFactory.create()
    client = as_(person_with("technical_lead", use_case))
    for number, severity in enumerate(("low", "critical", "medium")):
        alert_on(use_case, f"Alert {number}", severity=severity)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(url("alerts"))
        return len(captured)

    before = queries()
    page = shown(client, f"{url('alerts')}?sort=severity")
    assert page.index("Alert 1") < page.index("Alert 2") < page.index("Alert 0")
    exported = b"".join(client.get(f"{url('alerts')}?export=csv")).decode()
    assert "Critical" in exported
    for number in range(6):
        alert_on(use_case, f"More {number}")
    assert queries() == before


def test_several_are_acknowledged_taken_snoozed_and_assigned_at_once() -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    owner = person_with("business_owner", use_case)
    client = as_(lead)
    alerts = [alert_on(use_case, f"Alert {number}") for number in range(3)]
    chosen = [str(alert.pk) for alert in alerts]
    address = url("alerts_bulk")
    client.post(address, {"action": "acknowledge", "chosen": chosen[:2]})
    assert Alert.objects.filter(state="acknowledged").count() == 2
    again = client.post(address, {"action": "acknowledge", "chosen": chosen}, follow=True).content.decode()
    assert "1 alert changed." in again
    assert "Only an open alert can be acknowledged" in again
    client.post(address, {"action": "take", "chosen": chosen})
    assert Alert.objects.filter(assigned_to=lead).count() == 3
    asked = client.post(address, {"action": "snooze", "chosen": chosen})
    assert "Snooze: 3 alerts" in asked.content.decode()
    wrong = client.post(address, {"action": "snooze", "chosen": chosen, "confirmed": "1", "hours": "24", "reason": ""})
    assert wrong.status_code == 422
    given = {"action": "snooze", "chosen": chosen, "confirmed": "1", "hours": "24", "reason": "Migration."}
    assert client.post(address, given).status_code == 302
    assert Alert.objects.filter(state="snoozed").count() == 3
    given = {"action": "assign", "chosen": chosen, "confirmed": "1", "to": str(owner.pk)}
    client.post(address, given)
    assert Alert.objects.filter(assigned_to=owner).count() == 3
    assert client.post(address, {"action": "explode", "chosen": chosen}).status_code == 422


def test_what_is_not_visible_or_not_allowed_is_not_changed_in_bulk() -> None:
    alert = AlertFactory.create()
    given = {"action": "acknowledge", "chosen": [str(alert.pk), "nonsense"]}
    as_(PersonFactory.create()).post(url("alerts_bulk"), given)
    auditor = as_(person_with("auditor", alert.series.use_case))
    refused = auditor.post(url("alerts_bulk"), given, follow=True).content.decode()
    assert "your roles there do not allow it" in refused
    assert Alert.objects.get().state == "open"


def test_an_alert_is_seen_to_from_its_page() -> None:
    alert = AlertFactory.create()
    use_case = alert.series.use_case
    points(alert.series, [0.9])
    lead = person_with("technical_lead", use_case)
    client = as_(lead)
    page = url("alert", alert.pk)
    client.post(url("alert_take", alert.pk))
    assert Alert.objects.get().assigned_to == lead
    assert b"<html" not in client.get(url("alert_snooze", alert.pk), headers=HTMX).content
    assert client.post(url("alert_snooze", alert.pk), {"hours": "", "reason": "x"}).status_code == 422
    client.post(url("alert_snooze", alert.pk), {"hours": "4", "reason": "Known since Monday."})
    resting = shown(client, page)
    assert "Known since Monday." in resting
    assert "Wake it up" in resting
    client.post(url("alert_wake", alert.pk))
    client.post(url("alert_comment", alert.pk), {"text": "The feed was **late**."})
    assert "<strong>late</strong>" in shown(client, page)
    client.post(url("alert_comment", alert.pk), {"text": " "})
    client.post(url("alert_assign", alert.pk), {"to": ""})
    assert client.post(url("alert_resolve", alert.pk), {"reason": "Quiet again."}).status_code == 302
    story = shown(client, page)
    for said in ("Snoozed until", "Open again", "sees to it", "Nobody sees to it any more", "Ended by hand"):
        assert said in story
    assert client.get(url("alert_snooze", alert.pk)).status_code == 200
    assert client.post(url("alert_snooze", alert.pk), {"hours": "4", "reason": "x"}).status_code == 422


def test_an_incident_is_reported_with_one_form_and_leads_both_ways() -> None:
    alert = AlertFactory.create(severity="critical")
    client = as_(person_with("technical_lead", alert.series.use_case))
    form = shown(client, url("alert_report", alert.pk))
    assert alert.message in form
    given = {"severity": "sev2", "title": alert.message, "description": "As the alert says."}
    answer = client.post(url("alert_report", alert.pk), given)
    incident = Incident.objects.get()
    assert answer.headers["Location"] == reverse("governance:incident", args=[incident.pk])
    assert url("alert", alert.pk) in shown(client, answer.headers["Location"])
    assert answer.headers["Location"] in shown(client, url("alert", alert.pk))


def test_the_runbook_is_the_rules_own_or_the_document_of_the_use_case() -> None:
    alert = AlertFactory.create()
    lead = person_with("technical_lead", alert.series.use_case)
    client = as_(lead)
    assert "No runbook" in shown(client, url("alert", alert.pk))
    Document.objects.create(
        use_case=alert.series.use_case, doc_type="runbook", title="Night shift runbook", written_by=lead
    )
    assert "Night shift runbook" in shown(client, url("alert", alert.pk))
    rule = alert.rule
    assert rule is not None
    services.edit_rule(rule=rule, changes={"runbook_url": "https://wiki.example.com/f1"}, by=lead)
    assert 'href="https://wiki.example.com/f1"' in shown(client, url("alert", alert.pk))


@pytest.mark.parametrize("name", ["snooze", "wake", "assign", "take", "resolve", "comment", "report"])
def test_pages_of_an_alert_are_for_insiders(name: str) -> None:
    alert = AlertFactory.create()
    address = url(f"alert_{name}", alert.pk)
    assert as_(PersonFactory.create()).post(address).status_code == 404
    assert Client().post(address).status_code == 302
    if name != "report":
        assert as_(person_with("auditor", alert.series.use_case)).post(address).status_code == 403


def test_whoever_sees_to_an_alert_has_it_on_the_list_unless_it_rests() -> None:
    alert = AlertFactory.create()
    lead = person_with("technical_lead", alert.series.use_case)
    assert [item.title for item in OpenAlerts().items(lead)] == [alert.message]
    services.assign_alert(alert=alert, to=lead, by=lead)
    assert not list(OpenAlerts().items(lead))
    assert [item.title for item in MyAlerts().items(lead)] == [alert.message]
    services.snooze_alert(alert=alert, until=timezone.now() + timedelta(hours=1), reason="x", by=lead)
    assert not list(MyAlerts().items(lead))


def test_response_times_are_read_by_everybody_and_set_by_administrators() -> None:
    reader, admin = as_(PersonFactory.create()), as_(person_with("system_admin", organisation()))
    assert "Change" not in shown(reader, url("responses")).split("<table")[1].split("</table")[0]
    edit = url("response_edit", "high", "act")
    assert reader.get(edit).status_code == 403
    assert admin.get(url("response_edit", "high", "odd")).status_code == 404
    given = {
        "severity": "high",
        "acknowledge": "30",
        "acknowledge_unit": "1",
        "resolve": "2",
        "resolve_unit": "60",
        "told_first": ["technical_lead"],
        "told_next": ["business_owner"],
    }
    assert admin.get(edit).status_code == 200
    wrong = admin.post(edit, given | {"acknowledge": "5", "acknowledge_unit": "1440"})
    assert "It cannot be over before it is seen" in wrong.content.decode()
    assert admin.post(edit, given).status_code == 302
    assert "set by this organisation" in shown(admin, url("responses"))
    assert reader.post(url("response_reset", "high", "act")).status_code == 403
    admin.post(url("response_reset", "high", "act"))
    assert "set by this organisation" not in shown(admin, url("responses"))
    assert Client().get(url("responses")).status_code == 302
